package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Bounds for what others may have pushed. Past them reading is an error, never a shorter list: what is left out could be
// what matters.
const (
	maxReferrers     = 1000
	maxReferrerPages = 50
	maxListing       = 4 << 20 // bytes of one page
)

// referrerList is what a registry says refers to an image.
type referrerList struct {
	descriptors []v1.Descriptor
	// fallback says that the list is a tag that writers replace, because the registry has no referrers API.
	fallback bool
}

func (l referrerList) has(digest string) bool {
	return slices.ContainsFunc(l.descriptors, func(d v1.Descriptor) bool { return d.Digest.String() == digest })
}

// fallbackTag is the tag that lists what refers to an image where there is no API for it
// (OCI distribution specification 1.1, "referrers tag schema").
func fallbackTag(subject name.Digest) name.Tag {
	return subject.Context().Tag(strings.Replace(subject.DigestStr(), ":", "-", 1))
}

// listReferrers asks for every page. The client library reads the first page alone, and whoever can push could move a
// statement to the second.
func listReferrers(ctx context.Context, subject name.Digest) (referrerList, error) {
	repo := subject.Context()
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return referrerList{}, classify(ctx, repo, "", err)
	}
	authorized, err := transport.NewWithContext(ctx, repo.Registry, auth, connection, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return referrerList{}, classify(ctx, repo, "", err)
	}
	client := &http.Client{Transport: authorized}
	var list referrerList
	next := &url.URL{Scheme: repo.Scheme(), Host: repo.RegistryStr(), Path: "/v2/" + repo.RepositoryStr() + "/referrers/" + subject.DigestStr()}
	for range maxReferrerPages {
		page, following, err := referrersPage(ctx, client, repo, next)
		if err != nil {
			return referrerList{}, err
		}
		if page == nil && len(list.descriptors) > 0 {
			return referrerList{}, fmt.Errorf("the list ends in mid-way: the registry has no %q", next.Path)
		}
		if page == nil {
			return listFallback(ctx, subject)
		}
		list.descriptors = append(list.descriptors, page...)
		if len(list.descriptors) > maxReferrers {
			return referrerList{}, tooMany(subject)
		}
		if following == nil {
			return list, nil
		}
		next = following
	}
	return referrerList{}, tooMany(subject)
}

func tooMany(subject name.Digest) error {
	return fmt.Errorf("more than %d artifacts refer to it, and one that is left unread could be the one that matters; delete from %q what does not belong there", maxReferrers, subject.Context().Name())
}

// referrersPage gives one page and the next one's address; a nil page says that the registry has no referrers API.
func referrersPage(ctx context.Context, client *http.Client, repo name.Repository, at *url.URL) (page []v1.Descriptor, next *url.URL, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", string(types.OCIImageIndex))
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, classify(ctx, repo, "", err)
	}
	defer response.Body.Close()
	if err := transport.CheckError(response, http.StatusOK, http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable); err != nil {
		return nil, nil, classify(ctx, repo, "", err)
	}
	mediaType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if response.StatusCode != http.StatusOK || types.MediaType(mediaType) != types.OCIImageIndex {
		drain(response.Body)
		return nil, nil, nil
	}
	page, err = readListing(io.LimitReader(response.Body, maxListing+1))
	if err != nil {
		return nil, nil, err
	}
	next, err = nextPage(at, response.Header)
	return page, next, err
}

// linkNext is the part of a Link header that leads to the next page (RFC 8288).
var linkNext = regexp.MustCompile(`<([^>]*)>\s*;[^,]*\brel="?next"?`)

// maxHost is the longest name of a host (RFC 1035), with its port, in bytes.
const maxHost = 253 + len(":65535")

func nextPage(at *url.URL, header http.Header) (*url.URL, error) {
	found := linkNext.FindStringSubmatch(strings.Join(header.Values("Link"), ", "))
	if found == nil {
		return nil, nil
	}
	next, err := at.Parse(found[1])
	if err != nil {
		return nil, fmt.Errorf("reading the address of the list's next page: %w", said(err))
	}
	if next.Host != at.Host || next.Scheme != at.Scheme {
		return nil, fmt.Errorf("the list's next page is on another host, %q", firstOf(next.Host, maxHost))
	}
	return next, nil
}

// readListing never gives nil without an error: an empty list is a list.
func readListing(body io.Reader) ([]v1.Descriptor, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if len(data) > maxListing {
		return nil, fmt.Errorf("one page of the list has more than %d bytes", maxListing)
	}
	var index struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("reading the list: %w", said(err))
	}
	return append([]v1.Descriptor{}, index.Manifests...), nil
}

// listFallback reads the tag.
func listFallback(ctx context.Context, subject name.Digest) (referrerList, error) {
	got, err := remote.Get(fallbackTag(subject), options(ctx)...)
	if err != nil {
		err = classify(ctx, subject.Context(), fallbackTag(subject).TagStr(), err)
		var missing *NotFoundError
		if errors.As(err, &missing) {
			return referrerList{fallback: true}, nil
		}
		return referrerList{}, err
	}
	descriptors, err := readListing(strings.NewReader(string(got.Manifest)))
	if err == nil && len(descriptors) > maxReferrers {
		err = tooMany(subject)
	}
	return referrerList{descriptors: descriptors, fallback: true}, err
}
