package traffic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Change is a batch that Route 53 has taken; its name servers may not have it yet. The zero Change is one that was not needed.
type Change struct {
	ID string
	// Weights are what the batch sets.
	Weights Weights
}

// Ensure makes the stable records if they are missing, with all the weight. Records of promote's own are left as they are, and
// those of others refused.
func (d *DNS) Ensure(ctx context.Context, stable Balancer) (Change, error) {
	h, err := d.records(ctx)
	if err == nil {
		err = d.cfg.aimedAt(h, stable)
	}
	if err != nil {
		return Change{}, err
	}
	batch := d.cfg.making(h, stable)
	if len(batch) == 0 {
		return Change{}, nil
	}
	d.log("%s becomes a weighted alias of %s", d.cfg.Name, stable)
	return d.submit(ctx, batch, Weights{int(aws.ToInt64(batch[0].ResourceRecordSet.Weight)), int(aws.ToInt64(h.candidate[types.RRTypeA].Weight))})
}

// Weights reads what the records have now.
func (d *DNS) Weights(ctx context.Context) (Weights, error) {
	h, err := d.records(ctx)
	if err != nil {
		return Weights{}, err
	}
	w, err := h.weights()
	if err != nil {
		return w, fmt.Errorf("reading the weights of %s: %w", d.cfg.Name, err)
	}
	return w, nil
}

// Shift gives the candidate its share of the answers and waits until resolvers have no others. The weights it returns are the
// nearest ones that Route 53 can express.
func (d *DNS) Shift(ctx context.Context, stable, candidate Balancer, percent float64) (Weights, error) {
	change, err := d.Set(ctx, stable, candidate, percent)
	if err != nil {
		return Weights{}, err
	}
	return change.Weights, d.Settle(ctx, change)
}

// Set is Shift without the wait. Both records change in one batch, so that at no time both have the weight 0, which would share the
// answers equally.
func (d *DNS) Set(ctx context.Context, stable, candidate Balancer, percent float64) (Change, error) {
	w, err := weigh(percent)
	if err != nil {
		return Change{}, err
	}
	// Read right before it is written: a record that somebody has put beside them would take a share of its own.
	h, err := d.records(ctx)
	if err = errors.Join(err, alike(stable, candidate)); err == nil {
		err = d.cfg.aimedAt(h, stable)
	}
	if err != nil {
		return Change{}, err
	}
	return d.submit(ctx, d.cfg.changes(h, stable, candidate, w), w)
}

// alike refuses a candidate that some of the stable balancer's clients can't reach.
func alike(stable, candidate Balancer) error {
	var errs []error
	if stable.Internal != candidate.Internal {
		errs = append(errs, fmt.Errorf("one of %s and %s has private addresses, the other public ones: give both Services the same annotations", stable, candidate))
	}
	if stable.DualStack != candidate.DualStack {
		errs = append(errs, fmt.Errorf("one of %s and %s has IPv6 addresses, the other none: give both Services the same annotations", stable, candidate))
	}
	if stable.Host == candidate.Host {
		errs = append(errs, fmt.Errorf("%s is both the stable one and the candidate's", stable))
	}
	return errors.Join(errs...)
}

// Restore gives the stable balancer everything at once and takes the candidate's records away, in one batch. It needs no load
// balancer to exist, and it does not wait: Settle does. It writes even when nothing has to change, so that to settle means something
// after a run that was killed in between.
func (d *DNS) Restore(ctx context.Context) (Change, error) {
	h, err := d.records(ctx)
	if err != nil {
		return Change{}, err
	}
	batch, err := d.cfg.restoring(h)
	if err != nil || len(batch) == 0 {
		return Change{}, err
	}
	return d.submit(ctx, batch, Weights{Stable: full})
}

// Withdraw removes the candidate's records, which must have no weight. Nobody notices, so there is nothing to wait for.
func (d *DNS) Withdraw(ctx context.Context) error {
	h, err := d.records(ctx)
	if err != nil {
		return err
	}
	batch, err := d.cfg.withdrawing(h)
	if err != nil || len(batch) == 0 {
		return err
	}
	w, err := h.weights()
	if err == nil {
		_, err = d.submit(ctx, batch, w)
	}
	return err
}

// submit sends a batch and says so.
func (d *DNS) submit(ctx context.Context, batch []types.Change, w Weights) (Change, error) {
	out, err := d.write(ctx, batch)
	if err != nil {
		return Change{}, d.changing(err)
	}
	change := Change{ID: strings.TrimPrefix(aws.ToString(out.ChangeInfo.Id), "/change/"), Weights: w}
	d.log("%s: %s (change %s)", d.cfg.Name, w, change.ID)
	return change, nil
}

func (d *DNS) write(ctx context.Context, batch []types.Change) (*route53.ChangeResourceRecordSetsOutput, error) {
	return d.zones.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(d.cfg.Zone), ChangeBatch: &types.ChangeBatch{Comment: aws.String("promote: " + d.cfg.ID), Changes: batch},
	})
}

// changing says what Route 53 has against a batch; the SDK's own text may leave that out.
func (d *DNS) changing(err error) error {
	doing := fmt.Sprintf("changing the records of %s in the hosted zone %s", d.cfg.Name, d.cfg.Zone)
	var refused *types.InvalidChangeBatch
	if errors.As(err, &refused) && len(refused.Messages) > 0 {
		return fmt.Errorf("%s: %w: %s", doing, err, strings.Join(refused.Messages, ", "))
	}
	return explain(doing, changeRecords, err)
}

// Settle waits until every name server has the change (INSYNC), and then until no resolver holds an older answer.
func (d *DNS) Settle(ctx context.Context, change Change) error {
	if change.ID == "" {
		return nil
	}
	began, status := time.Now(), types.ChangeStatusPending
	for status != types.ChangeStatusInsync {
		out, err := d.zones.GetChange(ctx, &route53.GetChangeInput{Id: aws.String(change.ID)})
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("waiting for change %s of %s: after %s it is still %s, not INSYNC: %w",
				change.ID, d.cfg.Name, time.Since(began).Round(time.Second), status, ctx.Err())
		case err != nil:
			return explain(fmt.Sprintf("waiting for change %s of %s", change.ID, d.cfg.Name), getChange, err)
		}
		if status = out.ChangeInfo.Status; status != types.ChangeStatusInsync {
			wait(ctx, d.cfg.Poll)
		}
	}
	d.log("change %s is with all name servers after %s; resolvers may hold older answers of %s for %s more",
		change.ID, time.Since(began).Round(time.Second), d.cfg.Name, d.cfg.TTL)
	if wait(ctx, d.cfg.TTL); ctx.Err() != nil {
		return fmt.Errorf("waiting for resolvers to forget older answers of %s: %w", d.cfg.Name, ctx.Err())
	}
	return nil
}
