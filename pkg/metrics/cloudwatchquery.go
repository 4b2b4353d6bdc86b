package metrics

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// cloudwatchPeriod is the width of buckets where a query does not say it: the finest that metrics of normal resolution have.
const cloudwatchPeriod = time.Minute

// cloudwatchQuery is a query as it is sent.
type cloudwatchQuery struct {
	queries []types.MetricDataQuery
	// period is the width of the buckets.
	period time.Duration
	// metrics are what it reads, as far as that can be told.
	metrics []types.Metric
}

// insights is a query of Metrics Insights: SELECT SUM(Requests) FROM SCHEMA("Checkout", release) …, or FROM "Checkout".
var insights = regexp.MustCompile(`(?is)^SELECT\s+(\w+)\(\s*"?([^")]+?)"?\s*\)\s+FROM\s+(?:SCHEMA\(\s*)?(?:"([^"]+)"|([\w./-]+))`)

// summable are the statistics of a bucket that may be added up.
var summable = regexp.MustCompile(`^(Sum|SampleCount|TC\(.*\))$`)

// parseCloudWatch reads both forms of a query; what counts must be something that adds up.
func parseCloudWatch(text string, counts bool) (cloudwatchQuery, error) {
	wrong := func(fault Fault, format string, args ...any) (cloudwatchQuery, error) {
		return cloudwatchQuery{}, &UnusableError{Fault: fault, Detail: fmt.Sprintf(format, args...)}
	}
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		q := cloudwatchQuery{period: cloudwatchPeriod, queries: []types.MetricDataQuery{{
			Id: aws.String("q"), Expression: aws.String(text), Period: aws.Int32(int32(cloudwatchPeriod / time.Second)),
		}}}
		if m := insights.FindStringSubmatch(text); m != nil {
			if f := strings.ToUpper(m[1]); counts && f != "SUM" && f != "COUNT" {
				return wrong(WrongKind, "%s of several buckets can't be added up: a query that counts selects SUM() or COUNT()", f)
			}
			q.metrics = []types.Metric{{Namespace: aws.String(m[3] + m[4]), MetricName: aws.String(m[2])}}
		}
		return q, nil
	}
	if strings.HasPrefix(text, "{") {
		text = "[" + text + "]"
	}
	var q cloudwatchQuery
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&q.queries); err != nil {
		return wrong(WrongKind, "it is no JSON of MetricDataQueries: %v", err)
	}
	returned := 0
	for i, one := range q.queries {
		if one.ReturnData == nil || *one.ReturnData {
			returned++
			if s := one.MetricStat; counts && s != nil && !summable.MatchString(aws.ToString(s.Stat)) {
				return wrong(WrongKind, "%s of several buckets can't be added up: a query that counts has the Stat Sum, SampleCount or TC()", aws.ToString(s.Stat))
			}
		}
		period := time.Duration(aws.ToInt32(one.Period)) * time.Second
		if one.MetricStat != nil {
			period = time.Duration(aws.ToInt32(one.MetricStat.Period)) * time.Second
			if one.MetricStat.Metric != nil {
				q.metrics = append(q.metrics, *one.MetricStat.Metric)
			}
		}
		if period > 0 && q.period > 0 && period != q.period {
			return wrong(WrongKind, "its queries have the periods %s and %s; give them one", q.period, period)
		}
		q.period = max(q.period, period)
		if aws.ToString(one.Id) == "" {
			q.queries[i].Id = aws.String(fmt.Sprintf("q%d", i))
		}
	}
	switch {
	case returned != 1:
		return wrong(Several, "%d of its queries return data; set \"ReturnData\": false on all but one", returned)
	case q.period <= 0:
		return wrong(WrongKind, `it has no Period, such as "Period": 60`)
	}
	return q, nil
}
