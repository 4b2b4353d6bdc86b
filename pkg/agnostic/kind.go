package agnostic

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what a finding is about.
type Kind string

// The kinds of findings; an allow-list names them.
const (
	Dotenv             Kind = "dotenv"
	PrivateKey         Kind = "private-key"
	AWSAccessKey       Kind = "aws-access-key"
	AWSSecretKey       Kind = "aws-secret-key"
	GitHubToken        Kind = "github-token"
	CloudCredentials   Kind = "cloud-credentials"
	Kubeconfig         Kind = "kubeconfig"
	DockerCredentials  Kind = "docker-credentials"
	GitCredentials     Kind = "git-credentials"
	Netrc              Kind = "netrc"
	PackageCredentials Kind = "package-credentials"
	TerraformState     Kind = "terraform-state"
	Credential         Kind = "credential"
	Endpoint           Kind = "endpoint"
	EnvironmentName    Kind = "environment-name"
)

const (
	fromBuildSecret = "mount it while building (RUN --mount=type=secret,id=…, input `build-secrets`), which leaves no file behind"
	atDeployTime    = "look it up when the manifest is rendered ({{ secret \"…\" }}, {{ param \"…\" }}) and let the service read it from its environment or a mounted file"
	rotate          = "; it counts as known to everybody who can pull the image: replace it"
)

// kinds says for each what it is and what to do about it.
var kinds = map[Kind]struct{ what, fix string }{
	Dotenv:             {"a dotenv file", "list it in .dockerignore, and " + atDeployTime},
	PrivateKey:         {"a private key", "leave it out of the image, and " + atDeployTime + "; for the build alone, " + fromBuildSecret + rotate},
	AWSAccessKey:       {"the id of an AWS access key", "give the pod a role instead of a key" + rotate},
	AWSSecretKey:       {"the secret of an AWS access key", "give the pod a role instead of a key" + rotate},
	GitHubToken:        {"a GitHub token", fromBuildSecret + rotate},
	CloudCredentials:   {"credentials of a cloud account", "give the pod a role instead, and list the file in .dockerignore" + rotate},
	Kubeconfig:         {"a kubeconfig", "list it in .dockerignore; in a cluster, a pod has a service account"},
	DockerCredentials:  {"a login to a registry", fromBuildSecret + rotate},
	GitCredentials:     {"a login to a git server", fromBuildSecret + ", list .git in .dockerignore, and set persist-credentials: false for actions/checkout" + rotate},
	Netrc:              {"logins in a netrc file", fromBuildSecret + rotate},
	PackageCredentials: {"a login to a package registry", fromBuildSecret + rotate},
	TerraformState:     {"a Terraform state, which holds secrets in plain text", "list it in .dockerignore" + rotate},
	Credential:         {"a credential", "leave it out of the image, and " + atDeployTime + rotate},
	Endpoint:           {"an endpoint of one environment", "leave it out of the image, and " + atDeployTime},
	EnvironmentName:    {"the name of an environment", "leave it out of the image, and set it in the manifest"},
}

// Kinds lists all kinds in alphabetical order.
func Kinds() []Kind {
	var all []Kind
	for k := range kinds {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func unknownKind(name string) error {
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return fmt.Errorf("kind %q is not one of: %s", name, strings.Join(names, ", "))
}
