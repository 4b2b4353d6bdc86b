import pytest

state = {"n": 0}

def tax():
    return 9

def test_sum():
    assert 1 + 1 == 2

def test_tax():
    assert tax() == 7, "the tax is off"

@pytest.mark.flaky(reruns=2)
def test_flaky():
    state["n"] += 1
    assert state["n"] > 1

@pytest.mark.skip(reason="later")
def test_later():
    pass

class TestCart:
    @pytest.mark.parametrize("n", [1, 2])
    def test_count(self, n):
        assert n < 2

@pytest.fixture
def broken():
    raise RuntimeError("no database")

def test_db(broken):
    pass
