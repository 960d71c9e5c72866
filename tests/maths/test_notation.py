"""Names of weights and neurons in networks of any size."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpath.errors import InputError
from backpath.maths.notation import neuron_index, neuron_names, weight_index, weight_name, weight_names

sizes = st.lists(st.integers(1, 15), min_size=2, max_size=5)


def test_the_notes_nine_names():
    nine = "W11_1 W12_1 W1~_1 W21_1 W22_1 W2~_1 W11_2 W12_2 W1~_2"
    assert " ".join(weight_names((2, 2, 1))) == nine


def test_two_digit_indices_get_a_comma():
    assert weight_name(1, 12, 3) == "W12,3_1"
    assert weight_name(3, 1, 10) == "W1,10_3"
    assert weight_name(2, 12, None) == "W12~_2"
    assert weight_name(1, 9, 9) == "W99_1" and weight_name(1, 10, 9) == "W10,9_1" and weight_name(1, 9, 10) == "W9,10_1"


@pytest.mark.parametrize("name", ["H3", "X3", "A2", "H1_1", "H1_2", "A1_1", "B1", "H01", "h1", "", None])
def test_neurons_that_do_not_exist(name):
    with pytest.raises(InputError, match=r"has no neuron .*; its neurons are X1…X2, H1…H2, A1…A1"):
        neuron_index(name, (2, 2, 1))


@pytest.mark.parametrize("name", ["H1", "H3_1", "H1_3", "H2_2", "A1_2"])
def test_neurons_of_two_hidden_layers_have_their_number(name):
    with pytest.raises(InputError, match="has no neuron"):
        neuron_index(name, (2, 2, 1, 1))


@given(sizes)
def test_every_name_is_unique_and_leads_back(sizes):
    names = weight_names(sizes)
    assert len(set(names)) == len(names) == sum(n * (m + 1) for m, n in itertools.pairwise(sizes))
    for name in names:
        assert weight_name(*weight_index(name, sizes)) == name
    for layer in range(len(sizes)):
        for j, name in enumerate(neuron_names(sizes, layer), 1):
            assert neuron_index(name, sizes) == (layer, j)


def test_hidden_layers_are_numbered_only_where_there_are_several():
    assert neuron_names((2, 2, 1), 1) == ("H1", "H2")
    assert neuron_names((2, 2, 2, 1), 2) == ("H1_2", "H2_2")
    assert neuron_names((2, 1), 1) == ("A1",)


@pytest.mark.parametrize(
    "name", ["W123_1", "W31_1", "W11_3", "W01_1", "w11_1", "W11", "W~1_1", "W1,11_1", "", "W11_1 "]
)
def test_names_of_no_weight_are_refused(name):
    with pytest.raises(InputError, match="the network 2-2-1 has no weight"):
        weight_index(name, (2, 2, 1))


def test_a_huge_network_still_answers_at_once():
    with pytest.raises(InputError, match=r"its weights go from W11_1 to W10~_2"):
        weight_index("W1_1", (784, 2000, 10))
