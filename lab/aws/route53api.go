package aws

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// route53Version begins each path.
	route53Version = "/2013-04-01/"
	// mostRecords is what one ListResourceRecordSets gives at most, and without MaxItems.
	mostRecords = 300
)

// answerRoute53 is Route 53's protocol, REST with XML: the zone or the change stands in the path.
func (s *Server) answerRoute53(r *http.Request, entry *Request, path string) (any, error) {
	parts := strings.Split(path, "/")
	operation, id := "", ""
	switch {
	case len(parts) == 2 && parts[0] == "hostedzone" && r.Method == http.MethodGet:
		operation, id = "GetHostedZone", parts[1]
	case len(parts) == 3 && parts[0] == "hostedzone" && parts[2] == "rrset" && r.Method == http.MethodGet:
		operation, id = "ListResourceRecordSets", parts[1]
	case len(parts) == 3 && parts[0] == "hostedzone" && parts[2] == "rrset" && r.Method == http.MethodPost:
		operation, id = "ChangeResourceRecordSets", parts[1]
	case len(parts) == 2 && parts[0] == "change" && r.Method == http.MethodGet:
		operation, id = "GetChange", parts[1]
	}
	entry.Service, entry.Operation, entry.Names = "route53", operation, []string{id}
	if operation == "" {
		return nil, notImplemented("route53 " + r.Method + " " + r.URL.Path)
	}
	k, body, err := s.admit(r, entry)
	if err != nil {
		return nil, olderWords(err)
	}
	if operation == "GetChange" {
		return s.getChange(k, id)
	}
	var batch changeBatch
	if operation == "ChangeResourceRecordSets" {
		if err := xml.Unmarshal(body, &batch); err != nil || len(batch.Changes) == 0 {
			return nil, refuse("MalformedInput", "ChangeBatch is not valid, expected ChangeResourceRecordSetsRequest")
		}
		for i := range batch.Changes {
			batch.Changes[i].Record = batch.Changes[i].Record.normal()
			entry.Names = append(entry.Names, batch.Changes[i].line())
		}
	}
	if err := k.may("route53:"+operation, "arn:aws:route53:::hostedzone/"+id, batch.facts()); err != nil {
		return nil, olderWords(err)
	}
	zone := s.zones[id]
	if zone == nil {
		return nil, &refusal{http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: " + id}
	}
	switch operation {
	case "GetHostedZone":
		return zone.show(), nil
	case "ListResourceRecordSets":
		return zone.list(r.URL.Query())
	}
	return s.changeRecords(zone, batch)
}

// facts are the batch's condition keys, in the form that IAM wants them in.
func (b changeBatch) facts() map[string][]string {
	facts := map[string][]string{}
	add := func(key, value string) {
		key = "route53:ChangeResourceRecordSets" + key
		if !slices.Contains(facts[key], value) {
			facts[key] = append(facts[key], value)
		}
	}
	for _, c := range b.Changes {
		add("NormalizedRecordNames", strings.TrimSuffix(c.Record.Name, "."))
		add("RecordTypes", c.Record.Type)
		add("Actions", c.Action)
	}
	return facts
}

func (z *hostedZone) show() zoneAnswer {
	var out zoneAnswer
	out.Zone.ID, out.Zone.Name, out.Zone.CallerReference, out.Zone.Private, out.Zone.Count = "/hostedzone/"+z.ID, z.Name, "lab", z.Private, len(z.records)
	if !z.Private {
		out.Servers = []string{"ns-1.lab.internal"}
	}
	return out
}

// list gives the zone's records from a place on.
func (z *hostedZone) list(query url.Values) (any, error) {
	out := recordsAnswer{MaxItems: mostRecords}
	if text := query.Get("maxitems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, refuse("InvalidInput", "MaxItems %q is not a number above 0", text)
		}
		out.MaxItems = min(n, mostRecords)
	}
	from := recordSet{Type: query.Get("type"), SetIdentifier: query.Get("identifier")}
	if name := query.Get("name"); name != "" {
		from.Name = full(name)
	} else if from.Type != "" {
		return nil, refuse("InvalidInput", "The request cannot contain a record type without a record name")
	}
	all := slices.Clone(z.records)
	sortRecords(all)
	for _, r := range all {
		if from.Name != "" && slices.Compare(r.place(), from.place()) < 0 {
			continue
		}
		if len(out.Records) == out.MaxItems {
			out.IsTruncated, out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = true, r.Name, r.Type, r.SetIdentifier
			break
		}
		out.Records = append(out.Records, r)
	}
	return out, nil
}

func (s *Server) changeRecords(z *hostedZone, batch changeBatch) (any, error) {
	now := s.clock()
	for _, c := range s.changes {
		if s.zoning.oneChange && c.zone == z.ID && c.pending(now) {
			return nil, refuse("PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request.")
		}
	}
	for _, c := range batch.Changes {
		if err := c.wellFormed(); err != nil {
			return nil, err
		}
	}
	records, complaints := z.apply(batch.Changes, s.balancers())
	if len(complaints) > 0 {
		return nil, refuse("InvalidChangeBatch", "[%s]", strings.Join(complaints, ", "))
	}
	c := &zoneChange{
		id: "C" + strings.ToUpper(strings.ReplaceAll(requestID(), "-", ""))[:20], zone: z.ID, comment: batch.Comment,
		submitted: now, settled: now.Add(s.zoning.propagation),
	}
	s.changes[c.id] = c
	z.publish(records, c.settled)
	return changeAnswer{XMLName: xml.Name{Space: route53Space, Local: "ChangeResourceRecordSetsResponse"}, Info: c.show(now)}, nil
}

func (c *zoneChange) show(now time.Time) changeInfo {
	info := changeInfo{ID: "/change/" + c.id, Status: "INSYNC", SubmittedAt: c.submitted.UTC().Format(time.RFC3339), Comment: c.comment}
	if c.pending(now) {
		info.Status = "PENDING"
	}
	return info
}

func (s *Server) getChange(k Key, id string) (any, error) {
	if err := k.may("route53:GetChange", "arn:aws:route53:::change/"+id, nil); err != nil {
		return nil, olderWords(err)
	}
	c := s.changes[id]
	if c == nil {
		return nil, &refusal{http.StatusNotFound, "NoSuchChange", "Could not find resource with ID: " + id}
	}
	return changeAnswer{XMLName: xml.Name{Space: route53Space, Local: "GetChangeResponse"}, Info: c.show(s.clock())}, nil
}
