package agnostic

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"strings"
)

// longestKey in bytes, with its markers: a 16384-bit RSA key in PEM has 12.7 KiB.
const longestKey = 16 << 10

var (
	keyEnd   = []byte("PRIVATE KEY-----")
	keyBegin = []byte("-----BEGIN ")
	keyClose = []byte("-----END ")
	dashes   = []byte("-----")
)

// longestKeyLabel in bytes is that of "ENCRYPTED " and its like, with room for what is invented.
const longestKeyLabel = 24

// privateKeys calls found with the place and the label of every private key in text or in a binary. PEM counts only if what it
// frames is a key, so that a program which knows the marker is none.
func privateKeys(text []byte, found func(at int, label string)) {
	for from := 0; ; {
		i := bytes.Index(text[from:], keyEnd)
		if i < 0 {
			return
		}
		end := from + i + len(keyEnd)
		start := bytes.LastIndex(text[max(from, end-len(keyEnd)-longestKeyLabel-len(keyBegin)):end], keyBegin)
		if start >= 0 {
			start += max(from, end-len(keyEnd)-longestKeyLabel-len(keyBegin))
			body := text[end:min(len(text), end+longestKey)]
			// The next dashes end the body or it is none, so that a file full of markers costs no more than another.
			if stop := bytes.Index(body, dashes); stop >= 0 && bytes.HasPrefix(body[stop:], keyClose) && isKey(body[:stop]) {
				found(start, string(text[start+len(keyBegin):end-len("-----")]))
			}
		}
		from = end
	}
}

// isKey decodes what stands between the markers of PEM. Keys are also written as one line with \n in it (JSON, dotenv) or
// indented (YAML), so everything that is not base64 is dropped.
func isKey(body []byte) bool {
	text := strings.NewReplacer(`\r`, "", `\n`, "\n").Replace(string(body))
	// An encrypted key of the old kind has headers and then an empty line.
	encrypted := strings.Contains(text, "Proc-Type:") && strings.Contains(text, "ENCRYPTED")
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, ":") {
			continue
		}
		for _, c := range []byte(line) {
			if isBase64(c) {
				b.WriteByte(c)
			}
		}
	}
	der, err := base64.RawStdEncoding.DecodeString(b.String())
	if err != nil {
		return false
	}
	if encrypted {
		return len(der) >= 64 && len(der)%8 == 0 // blocks of the cipher
	}
	return isKeyDER(der)
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// isKeyDER says whether bytes are a private key in one of the formats that PEM frames.
func isKeyDER(der []byte) bool {
	if bytes.HasPrefix(der, []byte("openssh-key-v1\x00")) {
		return len(der) > 100
	}
	// x509 refuses curves and algorithms it does not know; they are keys all the same, so the outer form decides.
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return true
	}
	var pkcs8 struct {
		Version   int
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key  []byte
		Rest asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &pkcs8); err == nil && len(pkcs8.Key) >= 16 {
		return true
	}
	var encrypted struct {
		Algorithm struct {
			ID         asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	if _, err := asn1.Unmarshal(der, &encrypted); err == nil && len(encrypted.Data) >= 16 {
		return true
	}
	var sec1 struct {
		Version int
		Key     []byte
		Curve   asn1.RawValue `asn1:"optional"`
		Public  asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &sec1); err == nil && sec1.Version == 1 && len(sec1.Key) >= 16 {
		return true
	}
	return isIntegers(der)
}

// isIntegers knows RSA keys that x509 finds wrong and DSA keys: a sequence of a small version and at least five numbers.
func isIntegers(der []byte) bool {
	var numbers []asn1.RawValue
	rest, err := asn1.Unmarshal(der, &numbers)
	if err != nil || len(rest) > 8 || len(numbers) < 6 {
		return false
	}
	for _, n := range numbers[:6] {
		if n.Tag != asn1.TagInteger || n.Class != asn1.ClassUniversal {
			return false
		}
	}
	return len(numbers[0].Bytes) == 1 && len(numbers[1].Bytes) >= 32
}
