from facenet_tf.datasets.names import normalized


def test_names_are_compared_without_spelling_of_spaces_and_case():
    assert normalized("George_W_Bush") == normalized("george W. Bush")
    assert normalized("Al_Gore") != normalized("Al_Gray")
