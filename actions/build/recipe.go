package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/image"
)

const (
	// ownLabels begins the names of labels that only this program sets.
	ownLabels = "dev.promote."
	// recipeLabel is the image label that holds the recipe's fingerprint. An image without it, or with another one, was made
	// of something else.
	recipeLabel = ownLabels + "recipe"
)

// recipe is everything that decides what an image of a tree is. It holds no commit: another commit with the same tree has the
// same recipe. Which builder reads a Dockerfile is not in it, since what the image holds is the same; nor is the cache, which
// changes how long a build takes. Secrets are in it by id alone: a fingerprint of a value could be guessed.
type recipe struct {
	Version    int // raised when this program begins to build differently
	Tree       string
	Material   image.Material
	Context    string
	Dockerfile string
	Args       map[string]string
	Secrets    []string
	Target     string
	Platforms  []string
	Base       string
	Entrypoint []string
	Files      []string
	Labels     []string
}

func theRecipe(in inputs, src source) recipe {
	dockerfile := ""
	if in.material == image.FromDockerfile {
		// Both paths are absolute and inside the checkout, so this cannot fail.
		dockerfile, _ = filepath.Rel(in.context, in.dockerfile)
	}
	return recipe{
		Version: 2, Tree: src.tree, Material: in.material, Context: src.prefix, Dockerfile: filepath.ToSlash(dockerfile), Args: in.args,
		Secrets: slices.Sorted(maps.Keys(in.secrets)), Target: in.target, Platforms: in.platforms,
		Base: in.base, Entrypoint: in.entrypoint, Files: in.files, Labels: slices.Sorted(slices.Values(in.labels)),
	}
}

// fingerprint is the same on every machine.
func (r recipe) fingerprint() string {
	text, err := json.Marshal(r) // maps are sorted
	if err != nil {
		panic(fmt.Sprintf("encoding strings: %v", err)) // strings, lists and maps of them always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// labels are the user's, after ours: which commit of which repository the image was first made of, under the names that
// registries and scanners know (OCI image specification, annotations). The user's come last and so win, but for the names
// that are promote's own. They stay as they are when another commit with the same tree gets the image.
func labels(in inputs, c change.Change, env gha.Env, fingerprint string) []string {
	return append([]string{
		image.RevisionLabel + "=" + c.Head,
		"org.opencontainers.image.source=" + env.ServerURL + "/" + c.Repository,
		image.CommitLabel + "=" + c.Head,
		recipeLabel + "=" + fingerprint,
	}, slices.Sorted(slices.Values(in.labels))...)
}
