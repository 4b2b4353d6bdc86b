package aws

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
)

// queryType is the protocol of STS: a form goes there, XML comes back.
const queryType = "application/x-www-form-urlencoded"

// answerSTS answers GetCallerIdentity, which everybody may ask.
func (s *Server) answerSTS(r *http.Request, entry *Request) (any, error) {
	entry.Service = "sts"
	k, body, err := s.admit(r, entry)
	if err != nil {
		return nil, olderWords(err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Version") != "2011-06-15" {
		return nil, refuse("InvalidAction", "the body is not a form of version 2011-06-15")
	}
	entry.Operation = form.Get("Action")
	if entry.Operation != "GetCallerIdentity" {
		return nil, notImplemented("sts " + entry.Operation)
	}
	return k, nil
}

// olderWords gives a refusal the name and status that it has at services which answer in XML.
func olderWords(err error) error {
	var no *refusal
	if !errors.As(err, &no) {
		return err
	}
	names := map[string]string{
		"UnrecognizedClientException": "InvalidClientTokenId", "InvalidSignatureException": "SignatureDoesNotMatch",
		"ExpiredTokenException": "ExpiredToken", "MissingAuthenticationTokenException": "MissingAuthenticationToken",
		"IncompleteSignatureException": "IncompleteSignature", "AccessDeniedException": "AccessDenied",
	}
	switch {
	case no.name == "ThrottlingException":
		return &refusal{no.status, "Throttling", no.message}
	case names[no.name] != "":
		return forbidding(&refusal{no.status, names[no.name], no.message})
	}
	return err
}

// writeQuery writes a Key as GetCallerIdentity's answer, and a refusal as STS does.
func writeQuery(w http.ResponseWriter, entry Request, output any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(entry.Status)
	var answer any
	switch out := output.(type) {
	case Key:
		type result struct {
			Arn, Account string
			UserID       string `xml:"UserId"`
		}
		answer = struct {
			XMLName xml.Name `xml:"GetCallerIdentityResponse"`
			Result  result   `xml:"GetCallerIdentityResult"`
		}{Result: result{Arn: out.arn(), UserID: out.AccessKey, Account: account}}
	case map[string]string:
		type failure struct{ Type, Code, Message string }
		answer = struct {
			XMLName   xml.Name `xml:"ErrorResponse"`
			Error     failure
			RequestID string `xml:"RequestId"`
		}{Error: failure{"Sender", out["__type"], out["message"]}, RequestID: entry.ID}
	}
	// An error here means that the caller has hung up; there is nobody to tell.
	_ = xml.NewEncoder(w).Encode(answer)
}
