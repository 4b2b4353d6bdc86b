package demo

import (
	"fmt"
	"path/filepath"

	"github.com/org/promote/lab/load"
	"github.com/org/promote/lab/world"
	"github.com/org/promote/pkg/cluster"
)

// subject is the service that is played: all that the machinery has to know of it.
type subject struct {
	// name is the service's, and its image's; repository is owner/name on GitHub.
	name, repository string
	// selector finds its pods.
	selector string
	// stores are what Secrets Manager and Parameter Store have for each environment; its runner may read just these.
	stores map[string]store
	// scenario is what the clients of one environment ask for.
	scenario func() load.Scenario
	// source is the folder of its files, without those at its top that have one of these names; workflows is the folder of its
	// workflows.
	source, workflows string
	without           []string
}

// store is what one environment's runner finds in AWS, by name.
type store struct {
	Secrets    map[string]string `json:"secrets"`
	Parameters map[string]string `json:"parameters"`
}

func (s subject) pods() string { return s.selector }

// checkout is the example that `make demo` plays. Its secrets are random, so that no log can hold one by chance.
func checkout(suite string) subject {
	s := subject{
		name: "checkout", repository: "acme/checkout", selector: "app=checkout", stores: map[string]store{},
		scenario: func() load.Scenario { return load.Checkout("EUR") },
		source:   filepath.Join(suite, "examples", "checkout"), workflows: filepath.Join(suite, "workflows-templates"),
		// main has a README from the beginning.
		without: []string{"README.md"},
	}
	for _, env := range world.Environments {
		s.stores[env] = store{
			Secrets:    map[string]string{"checkout/" + env + "/payment": fmt.Sprintf(`{"key":"pay-%s-%s"}`, env, randomText())},
			Parameters: map[string]string{"/checkout/" + env + "/tax-percent": "19"},
		}
	}
	return s
}

// stranger is a service that the machinery knows nothing of but its name: its pods are found by what promote writes on them.
func stranger(name, folder, path string, stores map[string]store) subject {
	return subject{
		name: name, repository: "acme/" + name, selector: cluster.LabelService + "=" + name, stores: stores,
		scenario: func() load.Scenario { return load.Get(path) },
		source:   folder, workflows: filepath.Join(folder, ".github", "workflows"), without: []string{"README.md", ".git", ".github", besides},
	}
}
