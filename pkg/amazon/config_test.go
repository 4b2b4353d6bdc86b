package amazon

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestTooManyRequestsIsMetWithAnotherTry(t *testing.T) {
	for name, test := range map[string]struct {
		mode  aws.RetryMode
		tries string
		want  int32
	}{
		"standard":        {aws.RetryModeStandard, "", 2},
		"adaptive":        {aws.RetryModeAdaptive, "", 2},
		"no second tries": {aws.RetryModeStandard, "1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_MAX_ATTEMPTS", test.tries)
			var n atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if n.Add(1) == 1 {
					http.Error(w, "slow down", http.StatusTooManyRequests) // not in AWS's own form
					return
				}
				_, _ = w.Write([]byte(`{"SecretString":"v"}`))
			}))
			defer s.Close()
			cfg, err := Config(t.Context(), config.WithRegion("eu-west-1"), config.WithBaseEndpoint(s.URL), config.WithRetryMode(test.mode),
				config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKID", "secret", "")))
			if err != nil {
				t.Fatal(err)
			}
			_, err = secretsmanager.NewFromConfig(cfg).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("x")})
			if got := n.Load(); got != test.want || (err == nil) != (test.want == 2) {
				t.Errorf("%d tries, %v", got, err)
			}
		})
	}
}
