package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What Route 53 refuses, in its own words as users have quoted them: hashicorp/terraform#9732, hashicorp/terraform-provider-aws#15622,
// kubernetes-sigs/external-dns#3141, harmony-one/harmony-ops#491, barnybug/cli53#257, rancher/rancher#10253, among others.

var (
	recordTypes = []string{"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"}
	// recordName is stricter than Route 53, which takes octal escapes too.
	recordName = regexp.MustCompile(`^(\*\.)?([a-z0-9_-]{1,63}\.)+$`)
)

// wellFormed looks at one change by itself. What is wrong here ends the request before its batch is looked at.
func (c change) wellFormed() error {
	r := c.Record
	policies := 0
	for _, set := range []bool{r.Weight != nil, r.Region != "", r.Failover != "", r.GeoLocation != nil, r.MultiValue != nil} {
		if set {
			policies++
		}
	}
	plain, alias := r.TTL != nil && r.ResourceRecords != nil, r.AliasTarget != nil
	const oneOf = "Invalid request: Expected exactly one of [%s], but found %s in Change with %s"
	const contents = "AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId"
	const routing = "Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig"
	switch {
	case !slices.Contains([]string{"CREATE", "DELETE", "UPSERT"}, c.Action):
		return refuse("InvalidInput", "Invalid XML ; cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[CREATE, DELETE, UPSERT]'.", c.Action)
	case !slices.Contains(recordTypes, r.Type):
		return refuse("InvalidInput", "Invalid XML ; cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[%s]'.", r.Type, strings.Join(recordTypes, ", "))
	case r.Weight != nil && *r.Weight > 255:
		return refuse("InvalidInput", "Invalid XML ; cvc-maxInclusive-valid: Value '%d' is not facet-valid with respect to maxInclusive '255' for type 'ResourceRecordSetWeight'.", *r.Weight)
	case r.Weight != nil && *r.Weight < 0:
		return refuse("InvalidInput", "Invalid XML ; cvc-minInclusive-valid: Value '%d' is not facet-valid with respect to minInclusive '0' for type 'ResourceRecordSetWeight'.", *r.Weight)
	case len(r.SetIdentifier) > 128:
		return refuse("InvalidInput", "Invalid XML ; cvc-maxLength-valid: Value '%s' with length = '%d' is not facet-valid with respect to maxLength '128' for type 'ResourceRecordSetIdentifier'.", r.SetIdentifier, len(r.SetIdentifier))
	case !alias && !plain:
		return refuse("InvalidInput", oneOf, contents, "none", c.with())
	case alias && (r.TTL != nil || r.ResourceRecords != nil):
		return refuse("InvalidInput", oneOf, contents, "more than one", c.with())
	case r.SetIdentifier != "" && policies == 0:
		return refuse("InvalidInput", oneOf, routing, "none", c.with())
	case policies > 1:
		return refuse("InvalidInput", oneOf, routing, "more than one", c.with())
	case r.SetIdentifier == "" && policies == 1:
		return refuse("InvalidInput", "Invalid request: Missing field 'SetIdentifier' in Change with %s", c.with())
	}
	return nil
}

// apply gives the zone's records after a batch, or everything that Route 53 has against it; then nothing of it is done.
func (z *hostedZone) apply(batch []change, balancers []LoadBalancer) (records []recordSet, complaints []string) {
	records = slices.Clone(z.records)
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	var done []change
	for _, c := range batch {
		r := c.Record
		earlier := slices.IndexFunc(done, func(d change) bool { return d.Record.sameSet(r) })
		done = append(done, c)
		if earlier >= 0 && (done[earlier].Action != "DELETE" || c.Action == "DELETE") {
			complain("The request contains an invalid set of changes for a resource record set '%s %s'", r.Type, r.Name)
			continue
		}
		at := slices.IndexFunc(records, r.sameSet)
		switch {
		case !recordName.MatchString(r.Name):
			complain("FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with '%s'", strings.TrimSuffix(r.Name, "."))
		case !inZone(r.Name, z.Name):
			complain("RRSet with DNS name %s is not permitted in zone %s", r.Name, z.Name)
		case c.Action == "DELETE" && at < 0:
			complain("Tried to delete resource record set [%s] but it was not found", r.label())
		case c.Action == "DELETE" && !records[at].same(r):
			complain("Tried to delete resource record set [%s] but the values provided do not match the current values", r.label())
		case c.Action == "DELETE" && r.Name == z.Name && (r.Type == "NS" || r.Type == "SOA"):
			complain("A HostedZone must contain at least one NS record for the zone itself.")
		case c.Action == "DELETE":
			records = slices.Delete(records, at, at+1)
		case c.Action == "CREATE" && at >= 0:
			complain("Tried to create resource record set [%s] but it already exists", r.label())
		default:
			if at >= 0 {
				records = slices.Delete(records, at, at+1)
			}
			if wrong := append(r.conflicts(records, z), r.aims(z, balancers)...); len(wrong) > 0 {
				complaints = append(complaints, wrong...)
			}
			records = append(records, r)
		}
	}
	return records, complaints
}

// label names a record in complaints.
func (r recordSet) label() string {
	text := fmt.Sprintf("name='%s', type='%s'", r.Name, r.Type)
	if r.SetIdentifier != "" {
		text += fmt.Sprintf(", set-identifier='%s'", r.SetIdentifier)
	}
	return text
}

// conflicts are the reasons why a record can't stand beside the others.
func (r recordSet) conflicts(others []recordSet, z *hostedZone) []string {
	for _, o := range others {
		if o.Name != r.Name {
			continue
		}
		switch {
		case r.Type == "CNAME" && o.Type != "CNAME":
			return []string{fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", r.Name, z.Name)}
		case o.Type == "CNAME" && r.Type != "CNAME":
			return []string{fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone %s", r.Type, r.Name, z.Name)}
		case o.Type != r.Type:
		case r.SetIdentifier == "":
			return []string{fmt.Sprintf("RRSet with DNS name %s, type %s cannot be created as other RRSets exist with the same name and type.", r.Name, r.Type)}
		case r.policy() != o.policy():
			return []string{fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as a non-%s set exists with the same name and type.", r.Name, r.Type, r.SetIdentifier, r.policy())}
		case r.TTL != nil && o.TTL != nil && *r.TTL != *o.TTL:
			return []string{fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as %s sets must contain the same TTL.", r.Name, r.Type, r.SetIdentifier, r.policy())}
		}
	}
	return nil
}

// policy is the routing policy of a record.
func (r recordSet) policy() string {
	switch {
	case r.Weight != nil:
		return "weighted"
	case r.Region != "":
		return "latency"
	case r.Failover != "":
		return "failover"
	case r.GeoLocation != nil:
		return "geolocation"
	case r.MultiValue != nil:
		return "multivalue answer"
	}
	return "simple"
}

// aims are the reasons why an alias has no target. It must be a load balancer, with addresses of the record's type, in the zone that the
// alias says, or a record of the same zone.
func (r recordSet) aims(z *hostedZone, balancers []LoadBalancer) []string {
	if r.AliasTarget == nil {
		return nil
	}
	target, said := r.AliasTarget.DNSName, r.AliasTarget.HostedZoneID
	tried := fmt.Sprintf("Tried to create an alias that targets %s, type %s in zone %s, but ", target, r.Type, said)
	b, exists := balancerAt(balancers, target)
	switch {
	case said == z.ID && inZone(target, z.Name):
		if !slices.ContainsFunc(z.records, func(o recordSet) bool { return o.Name == target && o.Type == r.Type }) {
			return []string{tried + "that target was not found"}
		}
	case exists && said != b.zone():
		return []string{tried + "the alias target name does not lie within the target zone"}
	case !exists && !isBalancerZone(said):
		return []string{tried + "the alias target name does not lie within the target zone", tried + "that target was not found"}
	case !exists || !b.address(r.Type).IsValid():
		return []string{tried + "that target was not found"}
	}
	return nil
}
