package order

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// What a signature is for is part of what is signed: an id's can never serve as a receipt.
const (
	purposeID      = "order-id"
	purposeReceipt = "receipt"
)

// Signer signs with the shop's payment key, which cannot be read back: it
// prints as "(payment key)" wherever it is formatted or encoded.
type Signer struct{ key []byte }

// NewSigner returns a signer that uses the key.
func NewSigner(key []byte) Signer { return Signer{key: key} }

// String keeps the key out of logs and error messages.
func (Signer) String() string { return "(payment key)" }

// GoString does the same for %#v.
func (Signer) GoString() string { return "(payment key)" }

func (s Signer) sign(purpose, text string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(purpose + "\x00" + text))
	return hex.EncodeToString(mac.Sum(nil))
}

// verify compares in constant time.
func (s Signer) verify(purpose, text, signature string) bool {
	return hmac.Equal([]byte(s.sign(purpose, text)), []byte(signature))
}
