"""Tables of what the benchmarks measured, from benchmarks/results."""

from __future__ import annotations

import re

from figures import NotMeasuredError, benchmark, percent, table


def train_step() -> str:
    metrics = benchmark("train_step.json")["metrics"]
    metrics |= benchmark("train_step_models.json")["metrics"]
    rows = []
    for name, metric in metrics.items():
        speeds = {"mixed_bfloat16_loss": metric["ours"], **metric["peers"]}
        for precision in ("mixed_bfloat16", "float32"):
            cells = [f"{speeds[f'{precision}_{jit}']:.0f}" for jit in ("off", "loss", "on")]
            rows.append([name.replace("_", " "), precision, *cells])
    head = ["network, side", "precision", "XLA off", "XLA for the loss", "XLA for the whole step"]
    return table(head, rows)


def versus(file: str) -> str:
    """Every figure of a benchmark beside its peers, with the ratio to each."""
    rows = []
    for name, metric in benchmark(file)["metrics"].items():
        peers = [
            f"{peer.replace('_', ' ')} {_short(value)} ({metric['ratio'][peer]:.2f})"
            for peer, value in metric["peers"].items()
        ]
        failed = [
            f"{peer.replace('_', ' ')}: {_failure(said)}"
            for peer, said in metric.get("failed", {}).items()
        ]
        ours = f"{_short(metric['ours'])} {metric['unit']}"
        rows.append([name.replace("_", " "), ours, ", ".join([*peers, *failed]) or "-"])
    return table(["", "ours", "peers (ratio: above 1, ours is better)"], rows)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ablation() -> str:
    report = benchmark("ablation.json")
    rows = []
    for name, runs in report["runs"].items():
        stages = {run.get("stage") for run in runs}
        if None in stages:  # an older report, of the best epochs of any stage
            raise NotMeasuredError("ablation")
        cells = [str(len(runs)), " or ".join(sorted(stages))]
        for figure in ("val_auc", "val_eer", "val_tar", "best_val_auc"):
            metric = report["metrics"][f"{name}_{figure}"]
            cells.append(f"{metric['ours']:.4f} ± {metric['deviation'] or 0:.4f}")
        rows.append([name.replace("_", " "), *cells])
    head = ["variant", "seeds", "last stage", "AUC", "EER", "TAR@1e-2", "best AUC of that stage"]
    return table(head, rows)


def triplet_losses() -> str:
    metrics = benchmark("losses.json")["metrics"]
    contenders = ["ours", "ours_tiled", "ours_graph", "addons", "addons_xla", "pml"]
    rows = []
    for name in metrics:
        loss, figure = name.rsplit("_", 1)
        if figure == "memory":
            time, memory = (
                {"ours": metric["ours"], **metric["peers"], **metric["failed"]}
                for metric in (metrics[f"{loss}_time"], metrics[name])
            )
            fixed = metrics[name]["fixed"]
            cells = [
                f"{_milliseconds(time[each])}, {memory[each]:.0f} + {fixed[each]:.0f} MiB"
                if each in metrics[name]["range"]
                else _failure(time.get(each, "-"))
                for each in contenders
            ]
            rows.append([loss.replace("_", " "), *cells])
    return table(["loss, B", *(each.replace("_", " ") for each in contenders)], rows)


def _milliseconds(value: float) -> str:
    return f"{_short(value)} ms"


def determinism() -> str:
    """Choices in the rows, a speed, the number of ends and whether they are those of ours."""
    rows = []
    for name, metric in benchmark("determinism.json")["metrics"].items():
        for choice, speed in {"ours": metric["ours"], **metric["peers"]}.items():
            as_ours = metric.get("as_ours", {}).get(choice)  # older reports do not say
            equal = {True: "yes", False: "no", None: "-"}[as_ours]
            named = [each.replace("_", " ") for each in (name, choice)]
            rows.append([*named, f"{speed:.0f}", str(metric["ends"][choice]), equal])
    head = ["network, side, precision", "choice", "images/s", "different ends", "the bits of ours"]
    return table(head, rows)


def _failure(said: str) -> str:
    """What a contender that failed says, in a word where it is known."""
    return "out of memory" if re.search("ResourceExhausted|out of memory", said) else said


def tiles() -> str:
    rows = []
    for metric_name, metric in benchmark("tiles.json")["metrics"].items():
        peaks = {"tiled": metric["ours"], **metric["peers"]}
        forms = ("tiled", "tiled_graph", "whole", "whole_graph")
        cells = [
            f"{peaks[form]:.0f} MiB" if form in peaks else metric["failed"][form] for form in forms
        ]
        rows.append([metric_name.rpartition("_")[2], str(metric["tile"]), *cells])
    head = ["B", "tile", "in tiles, XLA", "in tiles, graph"]
    return table([*head, "whole matrix, XLA", "whole matrix, graph"], rows)


def partial_fc() -> str:
    report = benchmark("partial_fc.json")
    said, metrics, training = (report[part] for part in ("protocol", "metrics", "training"))
    full = [metrics[figure]["peers"]["full_softmax"] for figure in ("peak_memory", "step")]
    losses = [training[f"loss_of_{end}_steps"] for end in ("first", "last")]
    rows = [
        [
            f"{said['sample']:,} drawn",
            f"{metrics['peak_memory']['ours']:.2f} GiB",
            f"{metrics['step']['ours']:.2f} s",
            f"{losses[0]:.2f} to {losses[1]:.2f} in {said['steps']} steps",
        ],
        ["all", f"{full[0]:.2f} GiB", f"{full[1]:.2f} s", "-"],
    ]
    return table([f"of {said['classes']:,} classes", "peak memory", "a step", "loss"], rows)


def detection() -> str:
    metrics = benchmark("detection.json")["metrics"]
    rows = []
    for size in ("250x250", "640x480"):
        for kind, name in (("clock", size), ("processor", f"{size}_cpu")):
            metric = metrics[name]
            peers = [metric["peers"][peer] for peer in ("mtcnn_1.0.0", "mtcnn_1.0.0_lists")]
            ratios = [metric["ratio"][peer] for peer in ("mtcnn_1.0.0", "mtcnn_1.0.0_lists")]
            low, high = metric["range"]["ours"]
            speeds = [
                f"{metric['ours']:.1f} ({low:.0f} to {high:.0f})",
                *(f"{p:.1f}" for p in peers),
            ]
            rows.append([size, kind, *speeds, *(f"{ratio:.1f}" for ratio in ratios)])
    head = ["picture", "time of the", "ours, pictures/s (range)", "`mtcnn`", "`mtcnn`, lists of 8"]
    return table([*head, "ratio", "ratio, lists"], rows)


def parity() -> str:
    report = benchmark("detection_parity.json")
    counts = report["pictures"]
    rows = [[name.replace("_", " of "), str(count)] for name, count in counts.items()]
    worst = f"{report['largest_difference']:.4f} px"
    rows.append(["**all**", f"**{sum(counts.values())}**"])
    rows.append(["faces", str(report["faces"])])
    rows.append(["pictures that differ by more than 0.05 px", str(len(report["mismatches"]))])
    return table(["pictures", "count"], [*rows, ["largest difference", worst]])


def label_noise() -> str:
    report = benchmark("label_noise.json")
    rows = []
    for group, label in (("unseen", "unseen by the model"), ("all", "all, most of them seen")):
        counts = report["counts"][group]
        cells = [label, str(counts["people"]), str(counts["pictures"])]
        for figure in ("precision", "recall"):
            metric = report["metrics"][f"{group}_{figure}"]
            low, high = metric["range"]["ours"]
            cells.append(f"{metric['ours']:.2f} ({low:.2f} to {high:.2f})")
        flagged = report["metrics"][f"{group}_flagged_without_swaps"]["ours"]
        rows.append([*cells, percent(flagged)])
    head = ["people", "people", "pictures", "precision (range)", "recall (range)"]
    return table([*head, "flagged without swaps"], rows)


def false_faces() -> str:
    report = benchmark("false_faces.json")
    metric = report["metrics"]["accepted"]
    low, high = metric["range"]["ours"]
    counts = [f"{metric['ours']:.0f} ({low} to {high})", f"{metric['peers']['first_sight']:.0f}"]
    head = ["pictures a seed", "seeds", "accepted, median (range)", "of them at first sight"]
    count = metric["unit"].split()[1]
    return table(head, [[count, str(len(report["seeds"])), *counts]])


def recovery() -> str:
    rows = []
    for size, found in benchmark("recovery.json")["sizes"].items():
        count, first = found["pictures"], found["rungs"]["first_sight"]
        off = found["distances"]["all"]["of_eye_distance"]
        shares = [percent(first / count), percent(found["found"] / count)]
        distances = [f"{off[share]:.3f}" for share in ("0.5", "0.9", "0.99")]
        rows.append([size, str(count), *shares, str(count - found["found"]), " / ".join(distances)])
    head = ["longer side, px", "pictures", "at first sight", "with the second look", "missing"]
    return table([*head, "landmarks off, 50 / 90 / 99 % of the faces"], rows)


def build() -> str:
    rows = []
    for name, file in (("LFW", "build_lfw.json"), ("PubFig83", "build_pubfig83.json")):
        report = benchmark(file)
        metrics, memory = report["metrics"], report["metrics"]["memory"]
        parts = " / ".join(f"{memory[f'at_{share}_percent']:.0f}" for share in (10, 50, 100))
        counts = [f"{count} {outcome}" for outcome, count in report["outcomes"].items()]
        rates = [f"{metrics['time']['ours']:.0f} s", f"{metrics['speed']['ours']:.0f}", parts]
        rows.append([name, ", ".join(counts), str(report["workers"]), *rates])
    head = ["data", "outcomes", "workers", "time", "pictures/s", "MiB at 10 / 50 / 100 %"]
    return table(head, rows)


def interruptions() -> str:
    report = benchmark("interruptions.json")
    killed, full = report["killed"], report["full"]
    again = sorted(run["pictures_shown"] / report["undisturbed"]["pictures"] - 1 for run in killed)
    middle = f"{percent(again[len(again) // 2])} ({percent(again[0])} to {percent(again[-1])})"
    equal = [sum(run["equal"] for run in runs) for runs in (killed, full)]
    rows = [
        [
            "killed",
            str(len(killed)),
            str(sum(run["kills"] for run in killed)),
            str(equal[0]),
            middle,
        ],
        ["disk full", str(len(full)), str(len(full)), str(equal[1]), "-"],
    ]
    head = ["builds", "count", "interruptions", "same bytes in the end", "pictures detected again"]
    return table(head, rows)


def corruption() -> str:
    rows = []
    for damage, metric in benchmark("corruption.json")["metrics"].items():
        told = [metric["ours"], metric["told_where"], metric.get("read"), metric.get("read_where")]
        cells = ["-" if count is None else str(count) for count in told]
        rows.append([damage, metric["unit"].removeprefix("of "), *cells])
    head = ["damage", "times", "verified: noticed", "and named", "read: noticed", "and named"]
    return table(head, rows)


def search() -> str:
    """Recall, time and memory of every index at every size of the gallery."""
    report = benchmark("search.json")
    rows = []
    for size, contenders in report["recall"].items():
        metrics = [report["metrics"][f"{how}_{size}"] for how in ("batch", "single")]
        times = [{"ours": metric["ours"], **metric["peers"]} for metric in metrics]
        for name in times[0]:
            found = contenders[name]
            kind = "exact" if name == "ours" else name.rstrip("_0123456789")
            built = report["indexes"][size][kind]
            rows.append(
                [
                    f"{int(size):,}",
                    "ours, exact" if name == "ours" else name.replace("_", " "),
                    *(f"{found[f'recall_{count}']:.3f}" for count in (1, 10)),
                    *(_short(time[name]) for time in times),
                    *(_short(built[figure]) for figure in ("seconds", "own_mib")),
                ]
            )
    head = ["vectors", "index, effort", "recall@1", "recall@10"]
    head += ["ms a query, all at once", "one by one", "built in s", "own MiB"]
    return table(head, rows)
