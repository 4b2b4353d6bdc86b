package manifest

import "fmt"

// refused are sprig's functions that would make one commit render to different objects, with the reason. They stay defined
// so that using one is explained instead of "function not defined".
var refused = func() map[string]string {
	const (
		environment = "it reads the runner's environment; pass what differs through `values`, secret or param"
		network     = "it asks the network"
		clock       = "it reads the clock or the time zone"
		random      = "it is random; keep generated values in Secrets Manager and read them with secret"
	)
	reasons := map[string]string{"getHostByName": network}
	for reason, names := range map[string][]string{
		environment: {"env", "expandenv"},
		clock: {"now", "ago", "date", "date_in_zone", "date_modify", "dateInZone", "dateModify", "durationRound", "htmlDate",
			"htmlDateInZone", "must_date_modify", "mustDateModify", "toDate", "mustToDate", "unixEpoch"},
		random: {"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "uuidv4", "shuffle", "bcrypt",
			"htpasswd", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
			"genSignedCertWithKey", "encryptAES"},
	} {
		for _, name := range names {
			reasons[name] = reason
		}
	}
	return reasons
}()

func refusing(name, reason string) func(...any) (any, error) {
	return func(...any) (any, error) {
		return nil, fmt.Errorf("the function %s is refused: the same commit must render to the same objects, and %s", name, reason)
	}
}
