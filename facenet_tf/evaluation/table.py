"""The figures as one plain table: what the console shows and the report repeats."""

from typing import Any

from facenet_tf.evaluation.few_shot import RULES


def by_vectors(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The results of the trained network, of each baseline and of the network beside, by name."""
    others = {
        name if name != "beside" else result["weights"]["source"]: result
        for name, result in figures["baselines"].items()
    }
    return {"trained": figures, **others}


def svm_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Per kind of vectors: name, accuracy, macro F1, repeated mean ± deviation, chosen SVM."""
    rows = []
    for name, result in by_vectors(figures).items():
        svm = result["svm"]
        repeated, spread = svm.get("repeated"), "-"
        if repeated:
            spread = f"{repeated['accuracy_mean']:.4f} ± {repeated['accuracy_std']:.4f}"
        chosen = _share(svm.get("selected", {}).get("accuracy"))
        shares = [_share(svm["accuracy"]), _share(svm["macro_f1"])]
        rows.append([name.replace("_", " "), *shares, spread, chosen])
    return rows


def verification_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Per set of pairs and kind of vectors: accuracy ± SEM, AUC, EER, TAR at each FAR, pairs.

    Where pictures without a record count as errors, a second row leaves their pairs out: a few of
    them are enough to keep every threshold above a low FAR.
    """
    rows = []
    for name, result in by_vectors(figures).items():
        for key, figure in result["verification"].items():
            pair_set = set_name(key, figure)
            rows.append(_verification_row(pair_set, name, figure))
            if figure.get("without_lost"):
                rows.append(
                    _verification_row(f"{pair_set}, lost apart", name, figure["without_lost"])
                )
    return sorted(rows, key=lambda row: row[0])


def set_name(key: str, figure: dict[str, Any]) -> str:
    """Name of a set of pairs; a list that seen people had to leave does not bear its own alone."""
    left_out = figure.get("left_out_people")
    return f"{key} minus {left_out} people" if left_out else key


def _verification_row(pair_set: str, name: str, figure: dict[str, Any]) -> list[str]:
    accuracy = _share(figure.get("accuracy_mean"))
    if figure.get("accuracy_sem") is not None:
        accuracy += f" ± {figure['accuracy_sem']:.4f}"
    tars = [_share(tar) for tar in figure["tar"].values()]
    ranking = [_share(figure["auc"]), _share(figure["eer"]), *tars]
    return [pair_set, name.replace("_", " "), accuracy, *ranking, str(figure["pairs"])]


def people_name(figures: dict[str, Any]) -> str:
    """What the test people are called: with weights of others they may not be unseen."""
    weights, people = figures.get("weights"), figures.get("seen_people", {})
    seen = weights["seen"] if weights else people.get("before")
    return f"people ({seen})" if seen else "unseen people"


def svm_head(figures: dict[str, Any]) -> list[str]:
    """Heads of `svm_rows`."""
    return [people_name(figures), "SVM accuracy", "macro F1", "repeated splits", "chosen C, kernel"]


def verification_head(figures: dict[str, Any]) -> list[str]:
    """Heads of `verification_rows`."""
    fars = [f"TAR@{float(far):g}" for far in figures["config"]["fars"]]
    return ["verification", "vectors", "accuracy", "AUC", "EER", *fars, "pairs"]


def few_shot_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Per kind of vectors and number of enrolled pictures: accuracy ± deviation of each rule."""
    rows = []
    for name, result in by_vectors(figures).items():
        for shots, figure in result.get("few_shot", {}).get("shots", {}).items():
            cells = [
                f"{figure[rule]['accuracy_mean']:.4f} ± {figure[rule]['accuracy_std']:.4f}"
                for rule in RULES
            ]
            rows.append([shots, name.replace("_", " "), *cells, str(figure["probes"])])
    return sorted(rows, key=lambda row: int(row[0]))


def few_shot_head() -> list[str]:
    """Heads of `few_shot_rows`."""
    return ["enrolled", "vectors", *(rule.replace("_", " ") for rule in RULES), "probes"]


def few_shot_note(figures: dict[str, Any]) -> str:
    """Who took part in the few-shot figures, who did not and why; empty where none were asked."""
    few_shot = figures.get("few_shot")
    if not few_shot:
        return ""
    left_out = "".join(
        f"; left out: {out['people']} {out['rule']} ({out['pictures']} pictures)"
        for out in (few_shot["left_out"], few_shot["not_drawn"])
        if out["people"]
    )
    if "skipped" in few_shot:
        return f"no few-shot figures: {few_shot['skipped']}{left_out}"
    return (
        f"few-shot: {few_shot['people']} people, {few_shot['draws']} draws{left_out}; "
        f"pictures without a record, errors in every draw: {few_shot['lost_pictures']}"
    )


def person_rows(figures: dict[str, Any]) -> list[list[str]]:
    """Per person of the trained network's SVM: name, precision, recall, F1, test pictures, and the
    row of the confusion matrix: how many of these pictures were given each person's number."""
    svm = figures["svm"]
    rows = []
    for number, (name, confused) in enumerate(zip(svm["people"], svm["confusion_matrix"]), start=1):
        scores = svm["classification_report"].get(name)
        shares = ["-", "-", "-", "0"]
        if scores:
            shares = [_share(scores[kind]) for kind in ("precision", "recall", "f1-score")]
            shares.append(f"{scores['support']:.0f}")
        rows.append([str(number), name, *shares, *map(str, confused)])
    return rows


def person_head(figures: dict[str, Any]) -> list[str]:
    """Heads of `person_rows`."""
    numbers = [str(number + 1) for number in range(len(figures["svm"]["people"]))]
    return ["", "person", "precision", "recall", "F1", "pictures", *numbers]


def console_table(figures: dict[str, Any]) -> str:
    """All tables in columns, for the console."""
    parts = []
    if not figures["svm"].get("skipped"):
        parts.append(_columns([person_head(figures), *person_rows(figures)]))
    parts.append(_columns([svm_head(figures), *svm_rows(figures)]))
    verification = verification_rows(figures)
    if verification:
        parts.append(_columns([verification_head(figures), *verification]))
    parts.extend(_few_shot_parts(figures))
    if figures["pictures"].get("degraded"):
        parts.append(f"all crops degraded: {', '.join(figures['pictures']['degraded'])}")
    lost = figures["pictures"]["lost_count"]
    if lost:
        as_errors = _share(figures["svm"].get("lost_as_errors", {}).get("accuracy"))
        parts.append(
            f"test pictures without a record: {lost} (named in the report); "
            f"SVM accuracy with them as errors: {as_errors}"
        )
    if figures["svm"].get("skipped"):
        parts.append(f"no SVM: {figures['svm']['skipped']}")
    return "\n\n".join(parts)


def _few_shot_parts(figures: dict[str, Any]) -> list[str]:
    rows, note = few_shot_rows(figures), few_shot_note(figures)
    return [*([_columns([few_shot_head(), *rows])] if rows else []), *([note] if note else [])]


def _columns(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
