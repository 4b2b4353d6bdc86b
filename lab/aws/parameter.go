package aws

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxParameters is the most names that one GetParameters takes.
const maxParameters = 10

// Types of a parameter.
const (
	String       = "String"
	StringList   = "StringList"
	SecureString = "SecureString"
)

// parameter is one parameter with all its values; version n is values[n-1].
type parameter struct {
	name, kind string
	values     []string
	changed    []time.Time    // when each version was made
	labels     map[string]int // label -> version
}

// PutParameter stores a parameter's new value and returns its version, which counts from 1.
func (s *Server) PutParameter(name, value, kind string) (int, error) {
	if name == "" || strings.ContainsAny(name, ": ") {
		return 0, fmt.Errorf("putting parameter %q: a name has no colon and no space, and is not empty", name)
	}
	if kind != String && kind != StringList && kind != SecureString {
		return 0, fmt.Errorf("putting parameter %q: unknown type %q; valid are String, StringList, SecureString", name, kind)
	}
	if value == "" {
		return 0, fmt.Errorf("putting parameter %q: Parameter Store takes no empty value", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parameters[name]
	if p == nil {
		p = &parameter{name: name, labels: map[string]int{}}
		s.parameters[name] = p
	}
	p.kind, p.changed, p.values = kind, append(p.changed, s.clock()), append(p.values, value)
	return len(p.values), nil
}

// LabelParameter puts a label on one version of a parameter; it moves there from any other.
func (s *Server) LabelParameter(name string, version int, label string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parameters[name]
	if p == nil || version < 1 || version > len(p.values) {
		return fmt.Errorf("labelling parameter %q: it has no version %d", name, version)
	}
	if label == "" || label[0] >= '0' && label[0] <= '9' {
		return fmt.Errorf("labelling parameter %q: a label does not begin with a digit, got %q", name, label)
	}
	p.labels[label] = version
	return nil
}

// parameterValue is one parameter in an answer.
type parameterValue struct {
	ARN              string
	DataType         string
	LastModifiedDate float64
	Name             string
	Selector         string `json:",omitempty"`
	Type             string
	Value            string
	Version          int
}

// errNoVersion and errNoParameter are two exceptions in GetParameter and one list in GetParameters.
var (
	errNoParameter = refuse("ParameterNotFound", "")
	errNoVersion   = refuse("ParameterVersionNotFound", "Systems Manager could not find version of the parameter. Verify the version and try again.")
)

// pick gives the version that a selector means: ":3", ":label", or "" for the newest.
func (p *parameter) pick(selector string) (int, error) {
	if selector == "" {
		return len(p.values), nil
	}
	n, err := strconv.Atoi(selector[1:])
	if err != nil {
		n = p.labels[selector[1:]]
	}
	if n < 1 || n > len(p.values) {
		return 0, errNoVersion
	}
	return n, nil
}

// readParameter reads "name", "name:version", "name:label" or the parameter's ARN.
func (s *Server) readParameter(k Key, id string, decrypt bool) (parameterValue, error) {
	name, selector := s.parameterName(id)
	if !k.allows(name) {
		return parameterValue{}, k.denied("ssm:GetParameters", s.parameterARN(name))
	}
	p := s.parameters[name]
	if p == nil {
		return parameterValue{}, errNoParameter
	}
	n, err := p.pick(selector)
	if err != nil {
		return parameterValue{}, err
	}
	value := p.values[n-1]
	if p.kind == SecureString && !decrypt {
		// What KMS would give is opaque to everyone here; it only must not be the value.
		sum := sha256.Sum256([]byte("ciphertext of " + value))
		value = "AQICAHh" + base64.StdEncoding.EncodeToString(sum[:])
	}
	return parameterValue{
		ARN: s.parameterARN(name), DataType: "text", LastModifiedDate: epoch(p.changed[n-1]), Name: name, Selector: selector,
		Type: p.kind, Value: value, Version: n,
	}, nil
}

// parameterName takes an id apart into the name and the selector with its colon.
func (s *Server) parameterName(id string) (name, selector string) {
	prefix := s.arn("ssm", "parameter/")
	if rest, isARN := strings.CutPrefix(id, prefix); isARN {
		// In an ARN the slash of "/a/b" and the slash before "b" look the same.
		if id = rest; s.parameters["/"+rest] != nil {
			id = "/" + rest
		}
	}
	if i := strings.IndexByte(id, ':'); i >= 0 {
		return id[:i], id[i:]
	}
	return id, ""
}

func (s *Server) parameterARN(name string) string {
	return s.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}
