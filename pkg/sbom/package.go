package sbom

import (
	"path"
	"strings"

	"github.com/package-url/packageurl-go"
)

// pkg is a package, as a package manager knows it.
type pkg struct {
	kind      string // of a package URL
	namespace string
	name      string
	version   string
	// Of distributions only.
	architecture, distribution, source string
	// application says that it is a program of its own, and no library of one.
	application bool
}

// url is the package URL (github.com/package-url/purl-spec), which names a package for every scanner.
func (p pkg) url() string {
	namespace, name := p.namespace, p.name
	if p.kind == "golang" {
		namespace, name = path.Split(name)
		namespace = strings.TrimSuffix(namespace, "/")
	}
	qualifiers := map[string]string{}
	for key, value := range map[string]string{"arch": p.architecture, "distro": p.distribution, "upstream": p.source} {
		if value != "" {
			qualifiers[key] = value
		}
	}
	u := packageurl.NewPackageURL(p.kind, namespace, name, p.version, packageurl.QualifiersFromMap(qualifiers), "")
	if err := u.Normalize(); err != nil {
		return ""
	}
	return u.ToString()
}
