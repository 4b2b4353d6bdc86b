package metrics

import (
	"testing"
	"time"
)

func TestParseNRQL(t *testing.T) {
	at := time.UnixMilli(1_000_000)
	for query, want := range map[string]string{
		"SELECT count(*) FROM Transaction WHERE release='r1' SINCE 37s AGO": "SELECT latest(timestamp) AS 'promoteNewest', count(*) FROM Transaction WHERE release='r1' SINCE 963000 UNTIL 1000000",
		"from Span since 1s ago select count(*)":                            "from Span SINCE 999000 UNTIL 1000000 select latest(timestamp) AS 'promoteNewest', count(*)",
		"SELECT max(x) FROM T SINCE 60s AGO UNTIL 10 seconds ago":           "SELECT latest(timestamp) AS 'promoteNewest', max(x) FROM T SINCE 940000 UNTIL 10 seconds ago",
		"SELECT max(x) FROM T SINCE 5 minutes ago":                          "SELECT latest(timestamp) AS 'promoteNewest', max(x) FROM T SINCE 5 minutes ago",
		"SELECT count(*) FROM T WHERE a='FACET SINCE 3s AGO' SINCE 2s AGO":  "SELECT latest(timestamp) AS 'promoteNewest', count(*) FROM T WHERE a='FACET SINCE 3s AGO' SINCE 998000 UNTIL 1000000",
	} {
		if got, err := parseNRQL(query, at); err != nil || got.text != want {
			t.Errorf("%s became\n%s, %v; want\n%s", query, got.text, err, want)
		}
	}
	for _, query := range []string{"", "SELECT count(*) FROM T", "SELECT count(*) FROM T FACET host SINCE 3s AGO", "SELECT count(*) FROM T SINCE 3s AGO TIMESERIES", "SELECT count(*) FROM T SINCE 3s AGO COMPARE WITH 1 day ago"} {
		_, err := parseNRQL(query, at)
		wantFault(t, err, WrongKind)
	}
}
