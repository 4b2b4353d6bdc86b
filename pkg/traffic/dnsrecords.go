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
