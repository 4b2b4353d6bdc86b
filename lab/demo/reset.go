package demo

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// resetFirst checks that the reset ran against the candidate before its tests. It tells in the run's log which order it has
// placed; an order's id is signed with the environment's own key, so that test shows it proves where it was placed. The tests
// fail without that order.
func (s *scene) resetFirst(ctx context.Context, p *part) expectation {
	e := expectation{what: p.name() + ": the reset ran before the tests, in test"}
	log := p.results["pull-request"].LogFile
	reset, tests, order, err := readReset(log)
	if err != nil {
		e.seen = err.Error()
		return e
	}
	if reset == 0 {
		e.seen = "there is no trace of it in " + log
		return e
	}
	address, err := s.address(ctx, "test")
	if err != nil {
		e.seen = err.Error()
		return e
	}
	shown, _, err := get(ctx, address+"/orders/"+order)
	if err != nil {
		e.seen = err.Error()
		return e
	}
	passed := s.statuses(p.head)["promote/test"]
	e.ok = reset < tests && shown == http.StatusOK && passed == "success"
	e.seen = fmt.Sprintf("it placed an order (line %d of the run's log), the tests began (line %d) and ended in %s; asked for that order, test answers %d",
		reset, tests, passed, shown)
	return e
}

// readReset finds the line of a run's log in which the reset says what it has placed, and the one in which the tests begin; 0 where
// there is none.
func readReset(log string) (reset, tests int, order string, err error) {
	file, err := os.Open(log)
	if err != nil {
		return 0, 0, "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		_, id, said := strings.Cut(lines.Text(), "] known order: ")
		switch {
		case said && reset == 0:
			reset, order = n, strings.TrimSpace(id)
		case tests == 0 && strings.Contains(lines.Text(), "::group::Tests against the candidate"):
			tests = n
		}
	}
	return reset, tests, order, lines.Err()
}
