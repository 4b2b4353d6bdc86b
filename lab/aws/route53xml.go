package aws

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"reflect"
)

// The XML of Route 53, https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html.

const route53Space = "https://route53.amazonaws.com/doc/2013-04-01/"

// recordSet is a record as it is sent both ways.
type recordSet struct {
	Name, Type      string
	SetIdentifier   string           `xml:",omitempty"`
	Weight          *int64           `xml:",omitempty"`
	Region          string           `xml:",omitempty"`
	GeoLocation     *geoLocation     `xml:",omitempty"`
	Failover        string           `xml:",omitempty"`
	MultiValue      *bool            `xml:"MultiValueAnswer,omitempty"`
	TTL             *int64           `xml:",omitempty"`
	ResourceRecords *resourceRecords `xml:",omitempty"`
	AliasTarget     *aliasTarget     `xml:",omitempty"`
	HealthCheckID   string           `xml:"HealthCheckId,omitempty"`
}

type geoLocation struct{ ContinentCode, CountryCode, SubdivisionCode string }

type resourceRecords struct {
	ResourceRecord []struct{ Value string }
}

type aliasTarget struct {
	HostedZoneID         string `xml:"HostedZoneId"`
	DNSName              string
	EvaluateTargetHealth bool
}

func values(all ...string) *resourceRecords {
	records := &resourceRecords{}
	for _, v := range all {
		records.ResourceRecord = append(records.ResourceRecord, struct{ Value string }{v})
	}
	return records
}

// normal has names in the one form in which Route 53 keeps them.
func (r recordSet) normal() recordSet {
	r.Name = full(r.Name)
	if r.AliasTarget != nil {
		target := *r.AliasTarget
		target.DNSName = full(target.DNSName)
		r.AliasTarget = &target
	}
	return r
}

func (r recordSet) same(other recordSet) bool { return reflect.DeepEqual(r, other) }

// sameSet says whether two records are the same one, whatever they hold.
func (r recordSet) sameSet(other recordSet) bool {
	return r.Name == other.Name && r.Type == other.Type && r.SetIdentifier == other.SetIdentifier
}

type changeBatch struct {
	XMLName xml.Name `xml:"ChangeResourceRecordSetsRequest"`
	Comment string   `xml:"ChangeBatch>Comment"`
	Changes []change `xml:"ChangeBatch>Changes>Change"`
}

type change struct {
	Action string
	Record recordSet `xml:"ResourceRecordSet"`
}

// with is how Route 53 names a change in its complaints about the form of one.
func (c change) with() string {
	set := c.Record.SetIdentifier
	if set == "" {
		set = "null"
	}
	return fmt.Sprintf("[Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", c.Action, c.Record.Name, c.Record.Type, set)
}

// line is a change in the log.
func (c change) line() string {
	text := c.Action + " " + c.Record.Type + " " + c.Record.Name
	if c.Record.SetIdentifier != "" {
		text += " " + c.Record.SetIdentifier
	}
	if c.Record.Weight != nil {
		text += fmt.Sprintf(" weight %d", *c.Record.Weight)
	}
	return text
}

type changeInfo struct {
	ID          string `xml:"Id"`
	Status      string
	SubmittedAt string
	Comment     string `xml:",omitempty"`
}

type changeAnswer struct {
	XMLName xml.Name
	Info    changeInfo `xml:"ChangeInfo"`
}

type zoneAnswer struct {
	XMLName xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ GetHostedZoneResponse"`
	Zone    struct {
		ID              string `xml:"Id"`
		Name            string
		CallerReference string
		Private         bool `xml:"Config>PrivateZone"`
		Count           int  `xml:"ResourceRecordSetCount"`
	} `xml:"HostedZone"`
	Servers []string `xml:"DelegationSet>NameServers>NameServer,omitempty"`
}

type recordsAnswer struct {
	XMLName              xml.Name    `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ListResourceRecordSetsResponse"`
	Records              []recordSet `xml:"ResourceRecordSets>ResourceRecordSet"`
	IsTruncated          bool
	NextRecordName       string `xml:",omitempty"`
	NextRecordType       string `xml:",omitempty"`
	NextRecordIdentifier string `xml:",omitempty"`
	MaxItems             int
}

// writeXML writes an answer as it is, and a refusal as Route 53 and Elastic Load Balancing do.
func writeXML(w http.ResponseWriter, entry Request, output any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(entry.Status)
	if out, refused := output.(map[string]string); refused {
		type failure struct{ Type, Code, Message string }
		space := elbSpace
		if entry.Service == "route53" {
			space = route53Space
		}
		output = struct {
			XMLName   xml.Name
			Error     failure
			RequestID string `xml:"RequestId"`
		}{XMLName: xml.Name{Space: space, Local: "ErrorResponse"}, Error: failure{"Sender", out["__type"], out["message"]}, RequestID: entry.ID}
	}
	// An error here means that the caller has hung up; there is nobody to tell.
	_ = xml.NewEncoder(w).Encode(output)
}
