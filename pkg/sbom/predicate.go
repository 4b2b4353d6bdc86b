package sbom

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/package-url/packageurl-go"

	"github.com/org/promote/pkg/contents"
)

// PredicateType is how attestations name a CycloneDX document (in-toto.io, "CycloneDX predicate"); cosign calls it cyclonedx.
const PredicateType = "https://cyclonedx.org/bom"

// Predicate gives the bill of materials as JSON, once the walk is over.
func (c *Collector) Predicate(img contents.Image, repository string) ([]byte, error) {
	image := imageComponent(img, repository)
	return c.encode(image, serial(img.Digest, img.Platform), img.Created)
}

// imageComponent is the subject: the image by its digest.
func imageComponent(img contents.Image, repository string) cyclonedx.Component {
	qualifiers := map[string]string{"repository_url": repository}
	if _, architecture, found := strings.Cut(img.Platform, "/"); found {
		qualifiers["arch"], _, _ = strings.Cut(architecture, "/")
	}
	// The package URL of an image has the last part of the repository as its name (purl-spec, type oci).
	url := packageurl.NewPackageURL("oci", "", path.Base(repository), img.Digest, packageurl.QualifiersFromMap(qualifiers), "").ToString()
	return cyclonedx.Component{
		BOMRef: url, Type: cyclonedx.ComponentTypeContainer, Name: repository, Version: img.Digest, PackageURL: url,
	}
}

// components merges what all files tell: one component for each package URL, with the files, and what depends on what as far
// as it is known: the image on everything but the modules of a Go program, and that on them.
func (c *Collector) components(image string) ([]cyclonedx.Component, []cyclonedx.Dependency) {
	found := map[string]pkg{}
	places := map[string]map[string]bool{}
	links := map[string]map[string]bool{image: {}}
	link := func(from, to string) {
		if links[from] == nil {
			links[from] = map[string]bool{}
		}
		links[from][to] = true
	}
	for _, file := range slices.Sorted(maps.Keys(c.facts)) {
		program := ""
		for _, p := range c.facts[file].packages {
			p = c.inDistribution(p)
			url := p.url()
			if url == "" {
				continue // a name that no package can have
			}
			if known, twice := found[url]; !twice || !known.application {
				found[url] = p
			}
			if places[url] == nil {
				places[url] = map[string]bool{}
			}
			places[url][file] = true
			switch {
			case p.application:
				program = url
				link(image, url)
			case program != "" && program != url:
				link(program, url)
			default:
				link(image, url)
			}
		}
	}
	components := []cyclonedx.Component{}
	for _, url := range slices.Sorted(maps.Keys(found)) {
		components = append(components, component(found[url], url, slices.Sorted(maps.Keys(places[url]))))
	}
	return components, dependencies(links)
}

func dependencies(links map[string]map[string]bool) []cyclonedx.Dependency {
	all := []cyclonedx.Dependency{}
	for from, to := range links {
		on := slices.Sorted(maps.Keys(to))
		all = append(all, cyclonedx.Dependency{Ref: from, Dependencies: &on})
	}
	slices.SortFunc(all, func(a, b cyclonedx.Dependency) int { return cmp.Compare(a.Ref, b.Ref) })
	return all
}

// inDistribution gives a distribution's package the name of the distribution.
func (c *Collector) inDistribution(p pkg) pkg {
	usual := map[string]string{"deb": "debian", "apk": "alpine"}[p.kind]
	if usual == "" {
		return p
	}
	p.namespace = cmp.Or(c.release["ID"], usual)
	if version := c.release["VERSION_ID"]; version != "" {
		p.distribution = p.namespace + "-" + version
	}
	return p
}

func component(p pkg, url string, places []string) cyclonedx.Component {
	kind := cyclonedx.ComponentTypeLibrary
	if p.application {
		kind = cyclonedx.ComponentTypeApplication
	}
	var occurrences []cyclonedx.EvidenceOccurrence
	for _, place := range places {
		occurrences = append(occurrences, cyclonedx.EvidenceOccurrence{Location: place})
	}
	group := ""
	if p.kind == "npm" {
		group = p.namespace
	}
	return cyclonedx.Component{
		BOMRef: url, Type: kind, Group: group, Name: p.name, Version: p.version, PackageURL: url,
		Evidence: &cyclonedx.Evidence{Occurrences: &occurrences},
	}
}

// serial is a UUID made of what names the subject (RFC 9562, version 8), so that a subject has one bill of materials.
func serial(names ...string) string {
	id := sha256.Sum256([]byte("promote sbom " + strings.Join(names, " ")))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}
