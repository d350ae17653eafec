"""Take a valid pair of documents, apply one mutation: nothing but the same pair is accepted.

At length: `PYTHONPATH=tests python -m document_support.pairs --count 5000`.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from document_support import SIGN
from document_support.pairs import MUTATIONS, Pair, attempt, make_case
from garim.documents.media_types import JWS_MEDIA_TYPE

EXAMPLES = {JWS_MEDIA_TYPE: 250}
OTHERS = 40
NUMBERS = st.integers(min_value=0, max_value=2**32)


@pytest.fixture(scope="module", params=sorted(SIGN))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    return Pair.of(make_case(folder), request.param)


def test_the_same_pair_is_accepted(pair: Pair) -> None:
    assert attempt(pair, "identity", 0) == "accepted"


@pytest.mark.parametrize("name", sorted(MUTATIONS.keys() - {"identity"}))
def test_each_mutation_of_a_valid_pair_is_refused_or_changes_nothing(pair: Pair, name: str) -> None:
    for number in range(4):
        attempt(pair, name, number)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_whatever_is_mutated_nothing_but_the_same_pair_is_accepted(pair: Pair) -> None:
    @seed(20151006)
    @settings(
        max_examples=EXAMPLES.get(pair.media_type, OTHERS),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(name=st.sampled_from(sorted(MUTATIONS)), number=NUMBERS)
    def mutate(name: str, number: int) -> None:
        attempt(pair, name, number)

    mutate()
