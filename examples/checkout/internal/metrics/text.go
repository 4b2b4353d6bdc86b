package metrics

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// ContentType is the media type of what [Metrics.WriteTo] prints.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// WriteTo prints all metrics, in the same order every time. It implements [io.WriterTo].
func (m *Metrics) WriteTo(w io.Writer) (int64, error) {
	m.mu.Lock()
	var out bytes.Buffer
	m.print(&out)
	m.mu.Unlock() // a slow reader must not hold up requests
	return out.WriteTo(w)
}

func (m *Metrics) print(out io.Writer) {
	routes := slices.SortedFunc(maps.Keys(m.routes), func(a, b route) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})

	heading(out, "checkout_build_info", "gauge", "Which version this process runs; always 1.")
	fmt.Fprintf(out, "checkout_build_info{version=%q} 1\n", m.version)

	heading(out, "http_requests_total", "counter", "Answered requests; probes and scrapes are not counted.")
	for _, r := range routes {
		codes := m.routes[r].codes
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			fmt.Fprintf(out, "http_requests_total{%s,code=\"%d\"} %d\n", m.labels(r), code, codes[code])
		}
	}

	heading(out, "http_request_duration_seconds", "histogram", "Time from a request's header to the end of its answer.")
	for _, r := range routes {
		m.histogram(out, r)
	}
}

func (m *Metrics) histogram(out io.Writer, r route) {
	const name = "http_request_duration_seconds"
	var total, within uint64
	for _, n := range m.routes[r].codes {
		total += n
	}
	for i, bound := range buckets {
		within += m.routes[r].buckets[i]
		fmt.Fprintf(out, "%s_bucket{%s,le=\"%s\"} %d\n", name, m.labels(r), number(bound), within)
	}
	fmt.Fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, m.labels(r), total)
	fmt.Fprintf(out, "%s_sum{%s} %s\n", name, m.labels(r), number(m.routes[r].seconds))
	fmt.Fprintf(out, "%s_count{%s} %d\n", name, m.labels(r), total)
}

// labels prints what all series of a route have in common. %q escapes as the format asks: backslash, quote, newline.
func (m *Metrics) labels(r route) string {
	return fmt.Sprintf("method=%q,path=%q,version=%q", r.method, r.path, m.version)
}

func heading(out io.Writer, name, kind, help string) {
	fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
