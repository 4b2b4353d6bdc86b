package traffic

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Each batch is made of the records as they were read a moment ago, and says all that has to change: Route 53 carries it out whole or
// not at all.

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
