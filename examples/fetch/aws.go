package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// awsStore is AWS Secrets Manager.
type awsStore struct {
	guard  *guard
	items  []item
	region string // of secrets requested by name
	client *secretsmanager.Client
}

func newAWS(s settings, dial dialer) *awsStore {
	allow := func(host string) bool { return awsHosts.MatchString(host) || s.hosts.has(host) }
	return &awsStore{guard: newGuard(allow, awsNode, dial), items: s.items}
}

var (
	awsARN     = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:([a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}):[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,520}$`)
	awsName    = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)
	awsVersion = regexp.MustCompile(`^[A-Za-z0-9-]{32,64}$`)
)

func (*awsStore) check(r ref) error {
	switch {
	case !awsARN.MatchString(r.id) && !awsName.MatchString(r.id):
		return errors.New("id is neither the ARN nor the name of a secret")
	case r.version != "" && !awsVersion.MatchString(r.version):
		return errors.New("version is not a version ID")
	default:
		return nil
	}
}

// awsRegion returns the region of an ARN, "" for a name.
func awsRegion(id string) string {
	if parts := awsARN.FindStringSubmatch(id); parts != nil {
		return parts[1]
	}
	return ""
}

func (s *awsStore) login(ctx context.Context) error {
	// A profile needs the shared files, which can run programs. The SDK cannot add a CA
	// bundle to the guard.
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CA_BUNDLE"} {
		if os.Getenv(name) != "" {
			return &failure{outcome: badRequest, detail: name + " is not supported"}
		}
	}
	if err := s.findRegion(ctx); err != nil {
		return err
	}
	ctx, x := withExchange(ctx)
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(s.guard),
		config.WithRegion(s.region),
		config.WithRetryer(func() sdk.Retryer { return sdk.NopRetryer{} }),
		config.WithSharedConfigFiles([]string{}),
		config.WithSharedCredentialsFiles([]string{}),
		config.WithLogger(logging.Nop{}),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = s.guard }),
	)
	if err == nil {
		_, err = cfg.Credentials.Retrieve(ctx)
	}
	if err != nil {
		return withCode(x.login(err), err)
	}
	s.client = secretsmanager.NewFromConfig(cfg)
	return nil
}

// findRegion sets the region of names and of the STS endpoint.
func (s *awsStore) findRegion(ctx context.Context) error {
	s.region = os.Getenv("AWS_REGION")
	if s.region == "" {
		s.region = os.Getenv("AWS_DEFAULT_REGION")
	}
	var first string // of an ARN
	names := false
	for _, it := range s.items {
		region := awsRegion(it.ID)
		if first == "" {
			first = region
		}
		names = names || region == ""
	}
	switch {
	case s.region != "":
	case !names:
		s.region = first
	default:
		ctx, x := withExchange(ctx)
		client := imds.New(imds.Options{HTTPClient: s.guard, Retryer: sdk.NopRetryer{}})
		answer, err := client.GetRegion(ctx, nil)
		if err != nil {
			f := x.login(err)
			return &failure{outcome: badRequest, detail: "an id has no region, AWS_REGION is not set, and " + f.detail, temporary: f.temporary}
		}
		s.region = answer.Region
	}
	return nil
}

func (s *awsStore) get(ctx context.Context, r ref) ([]byte, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &r.id}
	if r.version != "" {
		in.VersionId = &r.version
	}
	ctx, x := withExchange(ctx)
	out, err := s.client.GetSecretValue(ctx, in, func(o *secretsmanager.Options) {
		if region := awsRegion(r.id); region != "" {
			o.Region = region
		}
	})
	switch {
	case err != nil:
		return nil, withCode(x.explain(err), err)
	case out.SecretString != nil:
		return []byte(*out.SecretString), nil
	default:
		return out.SecretBinary, nil
	}
}

// awsCodes maps the error codes of Secrets Manager and STS, apart from those that the SDK
// knows as temporary. No other code is ever shown.
var awsCodes = map[string]outcome{
	"ResourceNotFoundException":   notFound,
	"AccessDeniedException":       denied,
	"AccessDenied":                denied,
	"UnrecognizedClientException": denied,
	"InvalidClientTokenId":        denied,
	"InvalidSignatureException":   denied,
	"SignatureDoesNotMatch":       denied,
	"IncompleteSignature":         denied,
	"MissingAuthenticationToken":  denied,
	"ExpiredTokenException":       denied,
	"ExpiredToken":                denied,
	"InvalidIdentityToken":        denied,
	"IDPRejectedClaim":            denied,
	"OptInRequired":               denied,
	"RegionDisabledException":     denied,
	"DecryptionFailure":           refused,
	"InvalidRequestException":     refused,
	"InvalidParameterException":   refused,
	"ValidationException":         refused,
	"InternalServiceError":        unavailable,
	"InternalFailure":             unavailable,
	"ServiceUnavailable":          unavailable,
	"ServiceUnavailableException": unavailable,
	"IDPCommunicationError":       unavailable,
	"RequestTimeTooSkewed":        unavailable,
}

// withCode adds AWS' error code to a failure.
func withCode(f *failure, err error) *failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return f
	}
	code := api.ErrorCode()
	o, known := awsCodes[code]
	_, throttled := awsretry.DefaultThrottleErrorCodes[code]
	_, temporary := awsretry.DefaultRetryableErrorCodes[code]
	if throttled || temporary {
		o, known = unavailable, true
	}
	if !known {
		return f
	}
	return &failure{outcome: o, detail: fmt.Sprintf("%s (%s)", f.detail, code), temporary: o == unavailable}
}
