package traffic

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// The set identifiers of promote's records end in these.
const (
	suffixStable    = "/stable"
	suffixCandidate = "/candidate"
)

// held are promote's records at the name, by type.
type held struct {
	stable, candidate map[types.RRType]types.ResourceRecordSet
}

// sortRecords finds promote's records among those of the name, and says why it can't share the name with the others. Records
// of other types than addresses (TXT, MX and the like) are nobody's concern.
func sortRecords(all []types.ResourceRecordSet, cfg DNSConfig) (held, error) {
	h := held{map[types.RRType]types.ResourceRecordSet{}, map[types.RRType]types.ResourceRecordSet{}}
	var errs []error
	for _, r := range all {
		if plain(unescape(aws.ToString(r.Name))) != cfg.Name {
			continue
		}
		if r.Type != types.RRTypeA && r.Type != types.RRTypeAaaa && r.Type != types.RRTypeCname {
			continue
		}
		if why := foreign(r, cfg.ID); why != "" {
			errs = append(errs, fmt.Errorf("record %s %s is %s: %s", r.Type, cfg.Name, why, cfg.remedy()))
			continue
		}
		if aws.ToString(r.SetIdentifier) == cfg.ID+suffixStable {
			h.stable[r.Type] = r
		} else {
			h.candidate[r.Type] = r
		}
	}
	return h, errors.Join(errs...)
}

// remedy is what to do with a record that promote can't share the name with.
func (c DNSConfig) remedy() string {
	return fmt.Sprintf("delete it, or put a weighted alias with the set identifier %q, the weight %d and the same load balancer in its place, both in one change batch; "+
		"and let no other tool, such as external-dns, write this name", c.ID+suffixStable, full)
}

// foreign says what a record is that promote has not made, "" for its own.
func foreign(r types.ResourceRecordSet, id string) string {
	set := aws.ToString(r.SetIdentifier)
	var policy string
	switch {
	case r.TrafficPolicyInstanceId != nil:
		policy = "made by a traffic policy"
	case r.Type == types.RRTypeCname:
		return "a CNAME, beside which nothing can stand"
	case r.SetIdentifier == nil:
		return "a simple record"
	case r.Failover != "":
		policy = "a failover record"
	case r.Region != "":
		policy = "a latency record"
	case r.GeoLocation != nil:
		policy = "a geolocation record"
	case r.GeoProximityLocation != nil:
		policy = "a geoproximity record"
	case r.CidrRoutingConfig != nil:
		policy = "a CIDR record"
	case r.MultiValueAnswer != nil:
		policy = "a multivalue record"
	case r.Weight == nil:
		policy = "a record of an unknown routing policy"
	case set != id+suffixStable && set != id+suffixCandidate:
		policy = "a weighted record that somebody else has made"
	case r.AliasTarget == nil:
		policy = "a record with addresses where an alias belongs"
	default:
		return ""
	}
	return fmt.Sprintf("%s (set identifier %q)", policy, set)
}

var escaped = regexp.MustCompile(`\\[0-7]{3}`)

// unescape reads the octal escapes in which Route 53 gives names.
func unescape(name string) string {
	return escaped.ReplaceAllStringFunc(name, func(code string) string {
		n, _ := strconv.ParseUint(code[1:], 8, 16) // three octal digits always are a number
		return string(rune(n))
	})
}

// weights of the records as they are. Both types were written in one batch; when they differ, a hand has been at them.
func (h held) weights() (Weights, error) {
	of := func(t types.RRType) Weights {
		return Weights{int(aws.ToInt64(h.stable[t].Weight)), int(aws.ToInt64(h.candidate[t].Weight))}
	}
	four := of(types.RRTypeA)
	if _, ok := h.stable[types.RRTypeAaaa]; ok && of(types.RRTypeAaaa) != four {
		return four, fmt.Errorf("the A records have %s, but the AAAA records %s", four, of(types.RRTypeAaaa))
	}
	return four, nil
}

// changes are the batch that gives both records their weights. A candidate without weight and without a record stays without.
func (c DNSConfig) changes(h held, stable, candidate Balancer, w Weights) []types.Change {
	var batch []types.Change
	for _, t := range stable.types() {
		batch = append(batch, upsert(c.record(t, suffixStable, stable, w.Stable)))
		if _, exists := h.candidate[t]; exists || w.Candidate > 0 {
			batch = append(batch, upsert(c.record(t, suffixCandidate, candidate, w.Candidate)))
		}
	}
	return batch
}

// restoring gives all weight to the stable records and takes the candidate's away. The records' targets stay what they are, so it
// needs no load balancer to exist: Route 53 refuses to write an alias of one that is gone, but deletes it.
func (c DNSConfig) restoring(h held) ([]types.Change, error) {
	var batch []types.Change
	for _, t := range []types.RRType{types.RRTypeA, types.RRTypeAaaa} {
		stable, have := h.stable[t]
		candidate, doubtful := h.candidate[t]
		if doubtful && !have {
			return nil, fmt.Errorf("record %s %s has a candidate (set identifier %q) and no stable record to return to: make one for the service's own load balancer with the set identifier %q",
				t, c.Name, c.ID+suffixCandidate, c.ID+suffixStable)
		}
		if have {
			stable.Weight = aws.Int64(full)
			batch = append(batch, upsert(stable))
		}
		if doubtful {
			batch = append(batch, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &candidate})
		}
	}
	return batch, nil
}

// withdrawing deletes the candidate's records, unless they still get answers.
func (c DNSConfig) withdrawing(h held) ([]types.Change, error) {
	var batch []types.Change
	for _, t := range []types.RRType{types.RRTypeA, types.RRTypeAaaa} {
		r, exists := h.candidate[t]
		if !exists {
			continue
		}
		if stable := h.stable[t]; aws.ToInt64(r.Weight) > 0 || aws.ToInt64(stable.Weight) == 0 {
			return nil, fmt.Errorf("record %s %s with the set identifier %q has weight %d, and the stable one %d: move the traffic back before it goes",
				t, c.Name, aws.ToString(r.SetIdentifier), aws.ToInt64(r.Weight), aws.ToInt64(stable.Weight))
		}
		batch = append(batch, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &r})
	}
	return batch, nil
}

// making gives the stable records that are missing. Beside a candidate that has answers a new one starts with nothing: it was
// somebody's decision who should have them.
func (c DNSConfig) making(h held, stable Balancer) []types.Change {
	var batch []types.Change
	for _, t := range stable.types() {
		if _, exists := h.stable[t]; exists {
			continue
		}
		weight := full
		if aws.ToInt64(h.candidate[t].Weight) > 0 {
			weight = 0
		}
		batch = append(batch, upsert(c.record(t, suffixStable, stable, weight)))
	}
	return batch
}

func (c DNSConfig) record(t types.RRType, suffix string, b Balancer, weight int) types.ResourceRecordSet {
	return types.ResourceRecordSet{
		Name: aws.String(c.Name), Type: t, SetIdentifier: aws.String(c.ID + suffix), Weight: aws.Int64(int64(weight)),
		AliasTarget: &types.AliasTarget{
			DNSName: aws.String(b.Host), HostedZoneId: aws.String(b.Zone),
			EvaluateTargetHealth: suffix == suffixCandidate, // see DNS
		},
	}
}

func upsert(r types.ResourceRecordSet) types.Change {
	return types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &r}
}

// aimedAt refuses stable records that point to another load balancer than the service's: whoever aimed them there may have had a
// reason, and all traffic would move at once.
func (c DNSConfig) aimedAt(h held, stable Balancer) error {
	var errs []error
	for _, t := range []types.RRType{types.RRTypeA, types.RRTypeAaaa} {
		r, exists := h.stable[t]
		if !exists {
			continue
		}
		// Some tools put dualstack before the host; it is the same balancer.
		host := strings.TrimPrefix(plain(aws.ToString(r.AliasTarget.DNSName)), "dualstack.")
		switch {
		case host != stable.Host:
			errs = append(errs, fmt.Errorf("record %s %s with the set identifier %q points to %q, and the service has the load balancer %q: point it there if that is right",
				t, c.Name, aws.ToString(r.SetIdentifier), host, stable.Host))
		case !slices.Contains(stable.types(), t):
			errs = append(errs, fmt.Errorf("record %s %s with the set identifier %q gives IPv6 addresses, which %s has no more: delete it", t, c.Name, aws.ToString(r.SetIdentifier), stable))
		}
	}
	return errors.Join(errs...)
}
