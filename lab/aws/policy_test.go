package aws

import (
	"strings"
	"testing"
)

func TestPolicyDecidesAsIAMDoes(t *testing.T) {
	p, err := ParsePolicy([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["route53:Get*", "route53:ChangeResourceRecordSets"], "Resource": "arn:aws:route53:::hostedzone/Z1",
		 "Condition": {"ForAllValues:StringEquals": {"name": ["a.example.com"], "type": "A"}}},
		{"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "arn:aws:route53:::hostedzone/Z?", "Condition": {"ForAllValues:StringEquals": {"type": "TXT"}}}]}`))
	check(t, err)
	facts := func(name, kind string) map[string][]string {
		return map[string][]string{"name": {name}, "type": {kind}}
	}
	for name, test := range map[string]struct {
		action, resource string
		facts            map[string][]string
		want             bool
	}{
		"what it names":                   {"route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", facts("a.example.com", "A"), true},
		"by a wildcard":                   {"route53:GetHostedZone", "arn:aws:route53:::hostedzone/Z1", facts("a.example.com", "A"), true},
		"another action":                  {"route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", facts("a.example.com", "A"), false},
		"another resource":                {"route53:GetHostedZone", "arn:aws:route53:::hostedzone/Z12", facts("a.example.com", "A"), false},
		"another name":                    {"route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", facts("b.example.com", "A"), false},
		"another name beside it":          {"route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", map[string][]string{"name": {"a.example.com", "b.example.com"}, "type": {"A"}}, false},
		"no fact at all meets all values": {"route53:GetHostedZone", "arn:aws:route53:::hostedzone/Z9", nil, false},
		"a denial outranks":               {"route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", facts("a.example.com", "TXT"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := p.allows(test.action, test.resource, test.facts); got != test.want {
				t.Errorf("allowed is %v", got)
			}
		})
	}
	for document, want := range map[string]string{
		`{"Version": "2008-10-17"}`: "want 2012-10-17",
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}`:                                                   "Resource",
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringLike": {}}}]}`: "StringLike",
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "*", "Resource": "*"}]}`:                               "NotAction",
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": 1, "Resource": "*"}]}`:                                    "reading a policy",
	} {
		if _, err := ParsePolicy([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", document, err, want)
		}
	}
}
