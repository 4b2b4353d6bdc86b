package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// suffix ends the name of a file of properties.
const suffix = ".properties.json"

// properties are what GitHub documents of such a file.
type properties struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	IconName     string   `json:"iconName"`
	Categories   []string `json:"categories"`
	FilePatterns []string `json:"filePatterns"`
}

// octicon is the form of an icon of GitHub's own (https://primer.style/octicons); others are SVG files beside the template.
var octicon = regexp.MustCompile(`^octicon [a-z][a-z0-9-]*$`)

// categories are those of templates, beside which GitHub takes the names of languages
// (https://github.com/actions/starter-workflows#categories).
var categories = []string{
	"continuous-integration", "deployment", "testing", "code-quality", "code-review", "dependency-management", "monitoring", "automation", "utilities",
	"pages", "hugo",
}

// checkProperties reports all that GitHub would not take or show.
func checkProperties(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var p properties
	if err := decoder.Decode(&p); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it is more than one JSON object")
	}
	var problems []error
	for field, text := range map[string]string{"name": p.Name, "description": p.Description} {
		if strings.TrimSpace(text) == "" {
			problems = append(problems, fmt.Errorf("it has no %s", field))
		}
	}
	if !octicon.MatchString(p.IconName) {
		problems = append(problems, fmt.Errorf("its iconName %q is no octicon, as in \"octicon rocket\"", p.IconName))
	}
	if len(p.Categories) == 0 {
		problems = append(problems, errors.New("it has no categories"))
	}
	for _, category := range p.Categories {
		if !slices.Contains(categories, category) {
			problems = append(problems, fmt.Errorf("its category %q is none of %s", category, strings.Join(categories, ", ")))
		}
	}
	for _, pattern := range p.FilePatterns {
		if _, err := regexp.Compile(pattern); err != nil {
			problems = append(problems, fmt.Errorf("its filePattern: %w", err))
		}
	}
	return errors.Join(problems...)
}
