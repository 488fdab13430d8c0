"""By what a cache tells the code that made a file from other code."""

from heartsim._code import code_of


def test_the_code_of_a_package_is_told_from_that_of_another():
    assert len({code_of("ionic"), code_of("fem"), code_of("ionic", "fem")}) == 3
