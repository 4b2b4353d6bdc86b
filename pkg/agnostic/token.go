package agnostic

import (
	"bytes"
	"math"
	"regexp"
	"strings"
)

// A token with a shape of its own is known by its beginning, its length and its alphabet. Whoever wants to be sure of it must
// not have the alphabet's characters on either side, and not the same few over and over, as placeholders have.
type token struct {
	kind     Kind
	begin    string
	length   int // bytes after begin
	alphabet func(byte) bool
	distinct int // different characters after begin at the least
}

// tokens: AWS writes ids in base32 behind four letters, AKIA for a user's and ASIA for a session's
// (docs.aws.amazon.com/IAM, "Understanding unique ID prefixes"). GitHub's have ghX_ and at least 36 letters and digits.
var tokens = []token{
	{AWSAccessKey, "AKIA", 16, isBase32, 6},
	{AWSAccessKey, "ASIA", 16, isBase32, 6},
	{GitHubToken, "ghp_", 36, isAlphanumeric, 10},
	{GitHubToken, "gho_", 36, isAlphanumeric, 10},
	{GitHubToken, "ghu_", 36, isAlphanumeric, 10},
	{GitHubToken, "ghs_", 36, isAlphanumeric, 10},
	{GitHubToken, "ghr_", 36, isAlphanumeric, 10},
	{GitHubToken, "github_pat_", 82, isWord, 12},
}

func isBase32(c byte) bool       { return c >= 'A' && c <= 'Z' || c >= '2' && c <= '7' }
func isAlphanumeric(c byte) bool { return isBase64(c) && c != '+' && c != '/' }
func isWord(c byte) bool         { return isAlphanumeric(c) || c == '_' }

// findTokens calls found with the place of every token.
func findTokens(text []byte, found func(at int, t token)) {
	for _, t := range tokens {
		begin := []byte(t.begin)
		for from := 0; ; {
			i := bytes.Index(text[from:], begin)
			if i < 0 {
				break
			}
			at := from + i
			if t.at(text, at) {
				found(at, t)
			}
			from = at + len(begin)
		}
	}
}

// at says whether a token stands at a place where its beginning does.
func (t token) at(text []byte, at int) bool {
	if at > 0 && (isWord(text[at-1]) || text[at-1] == '/' || text[at-1] == '+') {
		return false // in the middle of a longer word or of base64
	}
	body := text[at+len(t.begin):]
	if len(body) < t.length {
		return false
	}
	if len(body) > t.length && (isWord(body[t.length]) || t.kind == AWSAccessKey && body[t.length] == '/') {
		return false
	}
	body = body[:t.length]
	different := map[byte]bool{}
	for _, c := range body {
		if !t.alphabet(c) {
			return false
		}
		different[c] = true
	}
	return len(different) >= t.distinct && !bytes.Contains(body, []byte("EXAMPLE"))
}

// awsSecret matches the name of a secret key, however a language or a file format writes it, with its value.
var awsSecret = regexp.MustCompile(`(?i)(aws_?)?secret_?(access_?)?key["']?\s{0,4}(?:[:=]|=>|:=)\s{0,4}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)`)

// leastEntropy in bits a character tells 40 random characters of base64 (4.5 to 5.2) from words and from hexadecimal (at most 4).
const leastEntropy = 4.1

// findAWSSecrets calls found with the place of every secret key. Only text is searched: it is what sets a name.
func findAWSSecrets(text []byte, found func(at int)) {
	for _, word := range [][]byte{[]byte("ecret"), []byte("ECRET")} {
		for from := 0; ; {
			i := bytes.Index(text[from:], word)
			if i < 0 {
				break
			}
			at := from + i
			from = at + len(word)
			// Most secrets are no keys of AWS; the expression is for those that may be.
			if !hasRun(text[at:min(len(text), at+96)], 40) {
				continue
			}
			start := max(at-len("aws_s"), 0)
			m := awsSecret.FindSubmatchIndex(text[start:min(len(text), start+128)])
			if m != nil && isAWSSecret(string(text[start+m[6]:start+m[7]])) {
				found(start + m[0])
			}
		}
	}
}

// hasRun says whether so many characters of base64 stand beside each other.
func hasRun(text []byte, length int) bool {
	run := 0
	for _, c := range text {
		if !isBase64(c) {
			run = 0
		} else if run++; run == length {
			return true
		}
	}
	return false
}

// isAWSSecret says whether 40 characters are random enough.
func isAWSSecret(value string) bool {
	return len(value) == 40 && !strings.Contains(value, "EXAMPLE") && entropy(value) >= leastEntropy
}

// entropy in bits a character.
func entropy(text string) float64 {
	counts := map[rune]int{}
	for _, c := range text {
		counts[c]++
	}
	var sum float64
	for _, n := range counts {
		p := float64(n) / float64(len(text))
		sum -= p * math.Log2(p)
	}
	return sum
}
