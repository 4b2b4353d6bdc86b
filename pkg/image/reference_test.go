package image

import (
	"strings"
	"testing"
)

func TestParseRepository(t *testing.T) {
	for _, good := range []string{
		"registry.example/checkout", "registry.example:5000/team/checkout", "localhost/checkout", "127.0.0.1:5000/a/b-c_d.e",
		"123456789012.dkr.ecr.eu-central-1.amazonaws.com/checkout", "docker.io/team/checkout",
	} {
		if err := ParseRepository(good); err != nil {
			t.Errorf("ParseRepository(%q) = %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                               "it is empty",
		"checkout":                       "does not name its registry",
		"team/checkout":                  "does not name its registry",
		"registry.example":               "does not name its registry",
		"registry.example/":              "does not name its registry",
		"https://registry.example/x":     "URL scheme",
		"registry.example/x:latest":      "carries a tag",
		"registry.example:5000/x:latest": "carries a tag",
		"registry.example/x@sha256:00":   "carries a digest",
		"registry.example/Team/x":        "repository can only contain",
		"registry.example/x y":           "repository can only contain",
		"registry.example/x\n::error::":  "carries a tag",
	} {
		err := ParseRepository(bad)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseRepository(%q) = %v, want %q in it", bad, err, want)
		}
	}
}

func TestReferences(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	if _, err := referenceOf(Reference("registry.example/x", digest)); err != nil {
		t.Error(err)
	}
	for bad, want := range map[string]string{
		"registry.example/x:latest":          "it has no digest",
		"registry.example/x@sha256:abc":      "digest",
		"registry.example/x:tag@" + digest:   "carries a tag",
		"registry.example/x@sha512:" + "abc": "digest",
	} {
		if _, err := referenceOf(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("referenceOf(%q) = %v, want %q in it", bad, err, want)
		}
	}
}

func TestCheckTag(t *testing.T) {
	for _, good := range []string{"test", "v1.2.3", commit, "tree-0a_b"} {
		if err := CheckTag(good); err != nil {
			t.Errorf("CheckTag(%q) = %v", good, err)
		}
	}
	for _, bad := range []string{"", "a b", "a:b", "a/b", "a@b", "-a", ".a", strings.Repeat("a", 129), "ä"} {
		if CheckTag(bad) == nil {
			t.Errorf("CheckTag(%q) passed", bad)
		}
	}
}
