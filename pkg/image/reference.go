package image

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// commitTag matches a tag that is a full commit SHA (SHA-1 or SHA-256). Such a
// tag says which commit an image was made from, so it never moves.
var commitTag = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// treeTag matches what [TreeTag] gives.
var treeTag = regexp.MustCompile(`^tree-([0-9a-f]{40}|[0-9a-f]{64})-[0-9a-f]{16}$`)

// tagName is the registries' grammar of tags (OCI distribution specification 1.1).
var tagName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// Reference joins a repository and a digest: the only name of an image that
// cannot come to mean something else later.
func Reference(repository, digest string) string { return repository + "@" + digest }

// ParseRepository checks that s names a registry and a repository in it, and
// nothing else: "registry.example:5000/team/checkout".
func ParseRepository(s string) error {
	_, err := repositoryOf(s)
	return err
}

// CheckTag says whether s can be a tag.
func CheckTag(s string) error {
	if !tagName.MatchString(s) {
		return fmt.Errorf("parsing tag %q: it is not up to 128 letters, digits, dots, dashes and underscores, the first a letter, digit or underscore", s)
	}
	return nil
}

// CheckBase says whether s can be the image below another: a reference with a tag or a digest, as after FROM in a Dockerfile.
func CheckBase(s string) error {
	if _, err := name.ParseReference(s); err != nil {
		return fmt.Errorf("parsing base image %q: %s", s, badName(err))
	}
	return nil
}

// CheckCache says whether s can be where a build cache is kept: "repository:tag", with its registry.
func CheckCache(s string) error {
	repository, tag := cutTag(s)
	if tag == "" {
		return fmt.Errorf("parsing cache %q: it has no tag, as in registry.example/team/checkout:buildcache", s)
	}
	return errors.Join(ParseRepository(repository), CheckTag(tag))
}

// cutTag cuts "repository:tag" in two; a colon before a slash belongs to the registry's port.
func cutTag(s string) (repository, tag string) {
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// IsCommitTag says whether a tag is a full commit SHA; such a tag never moves from one digest to another.
func IsCommitTag(tag string) bool { return commitTag.MatchString(tag) }

// TreeTag is the tag of the image that is made of a git tree by one recipe: "tree-", the tree's hash, and the first 16 digits
// of the recipe's fingerprint, which is 62 characters (86 with SHA-256). It says where to look and proves nothing: the image's
// label has the whole fingerprint.
func TreeTag(tree, fingerprint string) string {
	return "tree-" + tree + "-" + fingerprint[:min(16, len(fingerprint))]
}

// IsTreeTag says whether a tag is one that [TreeTag] gives. Such a tag never moves from one digest to another.
func IsTreeTag(tag string) bool { return treeTag.MatchString(tag) }

// staysPut says whether a tag never moves.
func staysPut(tag string) bool { return IsCommitTag(tag) || IsTreeTag(tag) }

// repositoryOf parses what [ParseRepository] checks.
func repositoryOf(s string) (name.Repository, error) {
	fail := func(reason string) (name.Repository, error) {
		return name.Repository{}, fmt.Errorf("parsing repository %q: %s", s, reason)
	}
	host, path, found := strings.Cut(s, "/")
	switch {
	case s == "":
		return fail("it is empty")
	case strings.Contains(s, "://"):
		return fail("it has a URL scheme; a repository has none")
	case strings.Contains(s, "@"):
		return fail("it carries a digest; only registry and repository go here")
	case strings.Contains(path, ":"):
		return fail("it carries a tag; only registry and repository go here")
	case !found || path == "" || (!strings.ContainsAny(host, ".:") && host != "localhost"):
		// Without this rule "team/checkout" would quietly mean Docker Hub.
		return fail("it does not name its registry, as in registry.example/team/checkout")
	}
	repository, err := name.NewRepository(s, name.StrictValidation)
	if err != nil {
		return fail(badName(err))
	}
	return repository, nil
}

// referenceOf parses "repository@sha256:…".
func referenceOf(s string) (name.Digest, error) {
	repository, digest, found := strings.Cut(s, "@")
	if !found {
		return name.Digest{}, fmt.Errorf("parsing reference %q: it has no digest, as in registry.example/team/checkout@sha256:…", s)
	}
	repo, err := repositoryOf(repository)
	if err != nil {
		return name.Digest{}, fmt.Errorf("parsing reference %q: %w", s, err)
	}
	ref, err := name.NewDigest(repo.Name()+"@"+digest, name.StrictValidation)
	if err != nil {
		return name.Digest{}, fmt.Errorf("parsing reference %q: %s", s, badName(err))
	}
	return ref, nil
}

// badName cuts the library's "could not parse reference: " prefix off.
func badName(err error) string {
	var bad *name.ErrBadName
	if errors.As(err, &bad) {
		return strings.TrimPrefix(bad.Error(), "could not parse reference: ")
	}
	return err.Error()
}
