package tests

import "testing"

func TestNamesOfRetriedTests(t *testing.T) {
	for line, want := range map[string]string{
		"RERUN tests/test_a.py::TestB::test_c - AssertionError: x":                                   "tests/test_a.py::TestB::test_c",
		"tests/test_a.py::test_c RERUN                          [ 42%]":                              "tests/test_a.py::test_c",
		"     \x1b[32m✓\x1b[39m flaky\x1b[32m 1\x1b[2mms\x1b[22m\x1b[39m\x1b[33m (retry x1)\x1b[39m": "flaky",
		" ✓ src/cart.test.js > cart > flaky 1ms (retry x2)":                                          "src/cart.test.js > cart > flaky",
		" LOGGING RETRY ERRORS  cart flaky":                                                          "cart flaky",
		"RERUN is a word":                                                                            "",
		"it failed (retry x3) times":                                                                 "",
	} {
		if got := retriedTest(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	for name, test := range map[string]struct {
		test Test
		is   bool
	}{
		"tests/test_a.py::test_x":          {Test{Suite: "tests.test_a", Name: "test_x"}, true},
		"tests/test_a.py::test_xx":         {Test{Suite: "tests.test_a", Name: "test_x"}, false},
		"tests/test_a.py::TestB::test_x":   {Test{Suite: "tests.test_a.TestB", Name: "test_x"}, true},
		"tests/test_a.py::TestC::test_x":   {Test{Suite: "tests.test_a.TestB", Name: "test_x"}, false},
		"src/cart.test.js > cart > flaky":  {Test{Suite: "src/cart.test.js", Name: "cart > flaky"}, true},
		"src/other.test.js > cart > flaky": {Test{Suite: "src/cart.test.js", Name: "cart > flaky"}, false},
		"flaky":                            {Test{Suite: "src/cart.test.js", Name: "cart > not flaky"}, false},
	} {
		if got := test.test.isCalled(name); got != test.is {
			t.Errorf("%s is %s: %v", name, test.test, got)
		}
	}
}
