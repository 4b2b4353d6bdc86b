package evidence

import "testing"

// FuzzUnseal takes apart what a registry says is a statement: it is read, or it is an error.
func FuzzUnseal(f *testing.F) {
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA=="}]}}`))
	f.Add([]byte(`{"dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","signatures":[{},{}]}}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"00"}}],"predicateType":"x","predicate":{"a":[[[[]]]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := unseal(data); err == nil {
			_, _ = decode(e.payload)
		}
		if s, err := decode(data); err == nil && s == nil {
			t.Error("no statement, and no error")
		}
	})
}
