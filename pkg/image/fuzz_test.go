package image

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/org/promote/pkg/hostile"
)

// mostListingError bounds, in bytes, what is said about a list that does not read: the list is the registry's, and may have millions.
const mostListingError = 1 << 10

// FuzzReadListing reads what a registry says refers to an image: a list, which may be empty, or an error that is short however
// long the list is.
func FuzzReadListing(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add([]byte(text))
			f.Add([]byte(`{"manifests":[{"digest":"` + text + `"}]}`))
		}
	}
	f.Add([]byte(`{"manifests":[{"mediaType":"x","digest":"sha256:` + strings.Repeat("a", 64) + `","size":-1,"artifactType":"y","annotations":{"a":"b"}}]}`))
	f.Add([]byte(`{"manifests":null}`))
	f.Add([]byte(`{"manifests":[{"digest":"sha256:` + strings.Repeat("g", 5000) + `"}]}`))
	f.Add([]byte(`[[[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := readListing(bytes.NewReader(data))
		switch {
		case err == nil && list == nil:
			t.Error("neither a list nor an error")
		case err == nil && len(list) > len(data):
			t.Errorf("%d bytes list %d", len(data), len(list))
		case err != nil && list != nil:
			t.Error("a list and an error")
		case err != nil && (len(err.Error()) > mostListingError || strings.ContainsAny(err.Error(), "\n\r\x1b")):
			t.Errorf("the error has %d bytes: %.200q", len(err.Error()), err)
		}
	})
}

// FuzzNextPage follows a list's Link header: never to another host, where the registry's credentials would go along.
func FuzzNextPage(f *testing.F) {
	for _, text := range hostile.Texts {
		if len(text) < 10_000 {
			f.Add(text)
			f.Add("<" + text + `>; rel="next"`)
		}
	}
	for _, link := range []string{
		`</v2/a/referrers/b?last=c>; rel="next"`, `<//evil.test/v2>; rel=next`, `<http://registry.test/v2>; rel="next"`, `<https://registry.test@evil.test/>; rel=next`,
		`<?n=1>; rel="first", <?n=2>; rel="next"`, `<https://registry.test:444/>; rel=next`, `<javascript:alert(1)>; rel="next"`,
	} {
		f.Add(link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		at := &url.URL{Scheme: "https", Host: "registry.test", Path: "/v2/a/referrers/sha256:0"}
		next, err := nextPage(at, http.Header{"Link": {link}})
		if err != nil && (next != nil || len(err.Error()) > mostListingError+2*len(link)) {
			t.Errorf("got %v, and an error of %d bytes", next, len(err.Error()))
		}
		if next == nil {
			return
		}
		// What a client makes of the text decides, not what was parsed.
		again, err := url.Parse(next.String())
		if err != nil || again.Host != at.Host || again.Scheme != at.Scheme {
			t.Errorf("%q leads to %q, %v", link, next, err)
		}
	})
}
