package aws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// HostedZone is a hosted zone of Route 53.
type HostedZone struct {
	// ID is without /hostedzone/; Name is the domain.
	ID, Name string
	Private  bool
}

// zoning says how changes of zones go.
type zoning struct {
	propagation, aliasTTL time.Duration
	oneChange             bool
}

// hostedZone is a zone with its records, as the API shows them.
type hostedZone struct {
	HostedZone
	records []recordSet
	// published is what name servers answer with, by the time at which they begin to.
	published []edition
}

type edition struct {
	from    time.Time
	records []recordSet
}

// zoneChange is a change batch that was taken.
type zoneChange struct {
	id, zone, comment  string
	submitted, settled time.Time
}

func (c *zoneChange) pending(now time.Time) bool { return now.Before(c.settled) }

// PutHostedZone makes a zone, with the two records that every zone has.
func (s *Server) PutHostedZone(z HostedZone) error {
	z.Name = full(z.Name)
	if z.ID == "" || z.Name == "." {
		return fmt.Errorf("putting the hosted zone %q: it needs an id and a name", z.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ttl := int64(900)
	records := []recordSet{
		{Name: z.Name, Type: "NS", TTL: &ttl, ResourceRecords: values("ns-1.lab.internal.")},
		{Name: z.Name, Type: "SOA", TTL: &ttl, ResourceRecords: values("ns-1.lab.internal. hostmaster.lab.internal. 1 7200 900 1209600 86400")},
	}
	s.zones[z.ID] = &hostedZone{HostedZone: z, records: records, published: []edition{{records: records}}}
	return nil
}

// full is a DNS name as Route 53 gives it: in small letters, with a dot at its end.
func full(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

// publish makes records the zone's, for name servers from a time on.
func (z *hostedZone) publish(records []recordSet, from time.Time) {
	z.records = records
	z.published = append(z.published, edition{from, records})
}

// serves are the records that name servers answer with at a time.
func (z *hostedZone) serves(now time.Time) []recordSet {
	var records []recordSet
	for _, e := range z.published {
		if !now.Before(e.from) {
			records = e.records
		}
	}
	return records
}

// inZone says whether a name may stand in a zone.
func inZone(name, zone string) bool { return name == zone || strings.HasSuffix(name, "."+zone) }

// sortRecords is the order of ListResourceRecordSets: by the name's labels from the last one, then by type and identifier.
func sortRecords(records []recordSet) {
	slices.SortFunc(records, func(a, b recordSet) int {
		return slices.Compare(a.place(), b.place())
	})
}

// place is where a record stands in that order.
func (r recordSet) place() []string {
	labels := strings.Split(strings.TrimSuffix(r.Name, "."), ".")
	slices.Reverse(labels)
	return []string{strings.Join(labels, "."), r.Type, r.SetIdentifier}
}
