package sbom

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// Program is a program of Go that is handed out as a file, for whatever system.
type Program struct {
	Name string
	// Digest is "sha256:" and hex.
	Digest string
	File   io.ReaderAt
}

// OfPrograms gives the bill of materials of programs that are released together, as JSON. Created is the release's time. A file that is
// no program of Go is an error.
func OfPrograms(name, version string, created time.Time, programs []Program) ([]byte, error) {
	c := NewCollector()
	defer c.Close()
	identity := []string{name, version}
	for _, p := range programs {
		info := buildInfo(p.File)
		if info == nil {
			return nil, fmt.Errorf("reading what %s is made of: it holds no build information of Go", p.Name)
		}
		c.facts[p.Name] = fact{packages: modulesOf(info)}
		identity = append(identity, p.Name, p.Digest)
	}
	subject := cyclonedx.Component{BOMRef: name + "@" + version, Type: cyclonedx.ComponentTypeApplication, Name: name, Version: version}
	return c.encode(subject, serial(identity...), created)
}

// encode writes the bill of a subject.
func (c *Collector) encode(subject cyclonedx.Component, serial string, created time.Time) ([]byte, error) {
	components, links := c.components(subject.BOMRef)
	bill := cyclonedx.NewBOM()
	bill.SerialNumber = serial
	bill.Metadata = &cyclonedx.Metadata{
		Timestamp: created.UTC().Format(time.RFC3339),
		Component: &subject,
		Tools:     &cyclonedx.ToolsChoice{Components: &[]cyclonedx.Component{{Type: cyclonedx.ComponentTypeApplication, Name: "promote"}}},
		Lifecycles: &[]cyclonedx.Lifecycle{
			{Phase: cyclonedx.LifecyclePhasePostBuild}, // what is in it, not what the build asked for
		},
	}
	bill.Components = &components
	bill.Dependencies = &links
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).EncodeVersion(bill, cyclonedx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("writing the bill of materials of %q: %w", subject.Name, err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
