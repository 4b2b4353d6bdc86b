package traffic

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// noChange is the id of a change that never was: who may ask for changes hears that it does not exist.
const noChange = "C0PROMOTE0CHECK"

// suffixNobody ends the set identifier of a record that never is.
const suffixNobody = "/nobody"

// Check refuses what DNS can't work with: a zone that does not hold the name, records that somebody else has made, a balancer that the
// zone's readers can't reach, and rights that are missing. It reports all at once and writes nothing.
func (d *DNS) Check(ctx context.Context, stable Balancer) error {
	zone, errZone := d.checkZone(ctx, stable)
	h, errRecords := d.records(ctx)
	if errRecords == nil {
		errRecords = errors.Join(d.cfg.aimedAt(h, stable), d.checkDelegation(ctx, zone))
	}
	found := errors.Join(errZone, errRecords, d.checkGetChange(ctx), d.checkHealth(ctx, stable))
	if err := d.rehearse(ctx, h, stable); err != nil && (found == nil || denied(err)) {
		// With other problems Route 53's complaints would be the same ones in its own words.
		found = errors.Join(found, err)
	}
	if found != nil {
		return found
	}
	d.log("hosted zone %s (%s) can share %s", d.cfg.Zone, zone, d.cfg.Name)
	return nil
}

// checkZone reads the zone and gives its name.
func (d *DNS) checkZone(ctx context.Context, stable Balancer) (string, error) {
	out, err := d.zones.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String(d.cfg.Zone)})
	if is(err, "NoSuchHostedZone") {
		return "", fmt.Errorf("hosted zone %s does not exist in the job's account: change hosted-zone-id", d.cfg.Zone)
	}
	if err != nil {
		return "", explain("reading the hosted zone "+d.cfg.Zone, getZone, err)
	}
	name := plain(unescape(aws.ToString(out.HostedZone.Name)))
	var errs []error
	if d.cfg.Name != name && !strings.HasSuffix(d.cfg.Name, "."+name) {
		errs = append(errs, fmt.Errorf("hosted zone %s is %q, which does not hold %q: change hosted-zone-id or dns-name", d.cfg.Zone, name, d.cfg.Name))
	}
	private := out.HostedZone.Config != nil && out.HostedZone.Config.PrivateZone
	switch {
	case private && !stable.Internal:
		errs = append(errs, fmt.Errorf("hosted zone %s (%q) is private, and %s is open to the internet: take the public zone, or an internal load balancer", d.cfg.Zone, name, stable))
	case !private && stable.Internal:
		errs = append(errs, fmt.Errorf("hosted zone %s (%q) is public, and %s has private addresses: take the private zone, or a load balancer open to the internet", d.cfg.Zone, name, stable))
	}
	return name, errors.Join(errs...)
}

// checkDelegation refuses a name that other name servers answer for: what this zone says of it, nobody reads.
func (d *DNS) checkDelegation(ctx context.Context, zone string) error {
	for name := d.cfg.Name; strings.HasSuffix(name, "."+zone); _, name, _ = strings.Cut(name, ".") {
		out, err := d.zones.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{
			HostedZoneId: aws.String(d.cfg.Zone), StartRecordName: aws.String(name), StartRecordType: types.RRTypeNs, MaxItems: aws.Int32(1),
		})
		if err != nil {
			return explain(fmt.Sprintf("reading the records of %s in the hosted zone %s", name, d.cfg.Zone), listRecords, err)
		}
		for _, r := range out.ResourceRecordSets {
			if r.Type == types.RRTypeNs && plain(unescape(aws.ToString(r.Name))) == name {
				return fmt.Errorf("hosted zone %s hands %q to other name servers (record NS), so it does not hold %q: change hosted-zone-id to the zone of %q",
					d.cfg.Zone, name, d.cfg.Name, name)
			}
		}
	}
	return nil
}

// records reads the name's records, and refuses those that are not promote's.
func (d *DNS) records(ctx context.Context) (held, error) {
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(d.cfg.Zone), StartRecordName: aws.String(d.cfg.Name)}
	var all []types.ResourceRecordSet
	for {
		out, err := d.zones.ListResourceRecordSets(ctx, in)
		if is(err, "NoSuchHostedZone") {
			return held{}, fmt.Errorf("reading the records of %s: %w", d.cfg.Name, err)
		}
		if err != nil {
			return held{}, explain(fmt.Sprintf("reading the records of %s in the hosted zone %s", d.cfg.Name, d.cfg.Zone), listRecords, err)
		}
		all = append(all, out.ResourceRecordSets...)
		// They come sorted, so the name's are over as soon as another one begins.
		if !out.IsTruncated || plain(unescape(aws.ToString(out.NextRecordName))) != d.cfg.Name {
			return sortRecords(all, d.cfg)
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
}

// checkGetChange asks for a change that does not exist.
func (d *DNS) checkGetChange(ctx context.Context) error {
	_, err := d.zones.GetChange(ctx, &route53.GetChangeInput{Id: aws.String(noChange)})
	if err == nil || is(err, "NoSuchChange", "InvalidInput") {
		return nil
	}
	return explain("asking Route 53 for a change", getChange, err)
}

// checkHealth asks for the health of the stable balancer's targets, whatever it is.
func (d *DNS) checkHealth(ctx context.Context, stable Balancer) error {
	groups, err := d.groups(ctx, stable)
	if err != nil || len(groups) == 0 {
		return err
	}
	_, err = d.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: groups[0].TargetGroupArn})
	if err != nil {
		return explain("reading the health of "+stable.String(), describeHealth, err)
	}
	return nil
}

// rehearse lets Route 53 itself look at the batch that would make the stable records, without carrying it out: the deletion of a record that
// never was is in it too, and a batch is carried out whole or not at all
// (https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html). IAM is asked before, so this also
// is how a missing right shows.
func (d *DNS) rehearse(ctx context.Context, h held, stable Balancer) error {
	nobody := d.cfg.record(types.RRTypeA, suffixNobody, stable, 0)
	batch := append(d.cfg.making(h, stable), types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &nobody})
	doing := fmt.Sprintf("rehearsing a change of %s in the hosted zone %s", d.cfg.Name, d.cfg.Zone)
	_, err := d.write(ctx, batch)
	var refused *types.InvalidChangeBatch
	switch {
	case err == nil:
		return fmt.Errorf("%s: Route 53 deleted a record that promote has not made, set identifier %q", doing, d.cfg.ID+suffixNobody)
	case !errors.As(err, &refused):
		return explain(doing, changeRecords, err)
	}
	if rest := complaints(refused); rest != "" {
		return fmt.Errorf("%s: Route 53 says: %s", doing, rest)
	}
	return nil
}

var nobodyThere = regexp.MustCompile(`Tried to delete resource record set .*?\s*but it was not found(, )?`)

// complaints are what Route 53 has against a batch, but for the deletion that is meant to fail. Its messages come as a list, or as one
// text in brackets.
func complaints(err *types.InvalidChangeBatch) string {
	text := strings.Join(err.Messages, ", ")
	if text == "" {
		text = strings.TrimSuffix(strings.TrimPrefix(aws.ToString(err.Message), "["), "]")
	}
	return strings.Trim(nobodyThere.ReplaceAllString(text, ""), ", ")
}
