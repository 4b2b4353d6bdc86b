package image

import (
	"regexp"
	"slices"
)

// ecrHost is what the name of a registry of Amazon's says.
type ecrHost struct {
	name            string
	account, region string
	fips            bool
	dual            bool // reached by IPv4 and IPv6
	public          bool // public.ecr.aws, which has one login for the world
}

// publicECR is the registry that anybody may pull from; pulling without a login is allowed and slow. Its API is in one region
// alone (https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html).
const (
	publicECR       = "public.ecr.aws"
	publicECRRegion = "us-east-1"
)

// The names of private registries: https://docs.aws.amazon.com/general/latest/gr/ecr.html,
// with dual stack https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html.
const ecrName = `([0-9]{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))`

var (
	ecrPattern = regexp.MustCompile(`^` + ecrName + `$`)
	ecrInText  = regexp.MustCompile(`\b(?:` + ecrName + `|public\.ecr\.aws)/`)
)

// parseECR says what the name of a registry of Amazon's says; false for any other registry.
func parseECR(host string) (ecrHost, bool) {
	if host == publicECR {
		return ecrHost{name: host, region: publicECRRegion, public: true}, true
	}
	m := ecrPattern.FindStringSubmatch(host)
	if m == nil {
		return ecrHost{}, false
	}
	return ecrHost{
		name: host, account: m[1], region: m[3], fips: m[2] != "",
		dual: m[4] != "amazonaws.com" && m[4] != "amazonaws.com.cn",
	}, true
}

// ECRHosts finds the registries of Amazon's that texts name images of: a Dockerfile, the values of build arguments, an
// image's own name. Each comes once, in the order they stand in.
func ECRHosts(texts ...string) []string {
	var hosts []string
	for _, text := range texts {
		for _, found := range ecrInText.FindAllString(text, -1) {
			if host := found[:len(found)-1]; !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}
