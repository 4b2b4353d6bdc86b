package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/org/promote/pkg/aliases"
)

// ParseValues reads the values that templates see as .Values: a YAML mapping as text, or the path, relative to baseDir, of a
// file inside baseDir that holds one. Empty text is an empty mapping. Whole numbers stay whole (1000000 is not 1e+06).
func ParseValues(text, baseDir string) (map[string]any, error) {
	if strings.TrimSpace(text) == "" {
		return map[string]any{}, nil
	}
	parsed, err := parseYAML([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("parsing the values: %w", err)
	}
	switch v := parsed.(type) {
	case map[string]any:
		return v, nil
	case nil:
		return map[string]any{}, nil
	case string:
		if !strings.ContainsAny(strings.TrimSpace(text), "\r\n") {
			return readValues(v, baseDir)
		}
	}
	return nil, errors.New("parsing the values: they must be a YAML mapping (key: value), or the path of a file that holds one")
}

func readValues(path, baseDir string) (map[string]any, error) {
	relative := path
	if filepath.IsAbs(path) {
		var err error
		if relative, err = filepath.Rel(baseDir, path); err != nil {
			return nil, fmt.Errorf("reading values file %q: it is outside %q", path, baseDir)
		}
	}
	root, err := os.OpenRoot(baseDir)
	if err != nil {
		return nil, fmt.Errorf("reading values file %q: %w", path, err)
	}
	defer func() { _ = root.Close() }()
	data, err := readRegular(root, relative)
	if err != nil {
		return nil, fmt.Errorf("reading values file %q: %w", path, plain(err))
	}
	parsed, err := parseYAML(data)
	if err != nil {
		return nil, fmt.Errorf("parsing values file %q: %w", path, err)
	}
	switch v := parsed.(type) {
	case map[string]any:
		return v, nil
	case nil:
		return map[string]any{}, nil
	}
	return nil, fmt.Errorf("parsing values file %q: it must hold a YAML mapping (key: value)", path)
}

// parseYAML parses one document the way Kubernetes does: YAML 1.1 booleans, no key twice, whole numbers as int64.
func parseYAML(data []byte) (any, error) {
	if err := aliases.Check(data, maxRendered); err != nil {
		return nil, err
	}
	asJSON, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var parsed any
	if err := utiljson.Unmarshal(asJSON, &parsed); err != nil {
		return nil, err
	}
	return parsed, nil
}
