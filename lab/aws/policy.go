package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Policy is an identity-based policy of IAM. It knows Allow and Deny, wildcards in actions and resources, and the one kind of
// condition that Route 53 asks for; ParsePolicy refuses everything else rather than misread it.
type Policy struct{ statements []statement }

type statement struct {
	Sid, Effect      string
	Action, Resource words
	Condition        map[string]map[string]words
}

// words is one string or a list of them.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// everyValue holds when each of a request's values is listed, and so also when it has none.
const everyValue = "ForAllValues:StringEquals"

// ParsePolicy reads a policy document.
func ParsePolicy(document []byte) (*Policy, error) {
	var in struct {
		Version   string
		Statement []statement
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("reading a policy: %w", err)
	}
	if in.Version != "2012-10-17" {
		return nil, fmt.Errorf("reading a policy: version %q, want 2012-10-17", in.Version)
	}
	for i, s := range in.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" || len(s.Action) == 0 || len(s.Resource) == 0 {
			return nil, fmt.Errorf("reading a policy: statement %d (%q) wants Effect (Allow or Deny), Action and Resource", i+1, s.Sid)
		}
		for operator := range s.Condition {
			if operator != everyValue {
				return nil, fmt.Errorf("reading a policy: statement %d (%q) has the condition %q; AWS's double knows %s alone", i+1, s.Sid, operator, everyValue)
			}
		}
	}
	return &Policy{in.Statement}, nil
}

// allows says whether the policy lets its owner do something; facts are the request's condition keys.
func (p *Policy) allows(action, resource string, facts map[string][]string) bool {
	allowed := false
	for _, s := range p.statements {
		if !s.Action.match(action) || !s.Resource.match(resource) || !s.holds(facts) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s statement) holds(facts map[string][]string) bool {
	for key, values := range s.Condition[everyValue] {
		for _, fact := range facts[key] {
			if !slices.Contains(values, fact) {
				return false
			}
		}
	}
	return true
}

// match reads * and ? as IAM does.
func (w words) match(text string) bool {
	return slices.ContainsFunc(w, func(pattern string) bool {
		form := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		return regexp.MustCompile(`^` + form + `$`).MatchString(text)
	})
}

// may is IAM's answer about Route 53 and load balancers. A key without a policy may do all there when it may read every name.
func (k Key) may(action, resource string, facts map[string][]string) error {
	switch {
	case slices.Contains(k.Deny, action):
	case k.Policy == nil && slices.Contains(k.Allow, ""), k.Policy != nil && k.Policy.allows(action, resource, facts):
		return nil
	}
	return k.denied(action, resource)
}
