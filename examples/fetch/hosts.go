package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hostList has hosts with their port, in lower case: "host:443".
type hostList []string

func (l hostList) has(host string) bool { return slices.Contains(l, host) }

var hostForm = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$`)

// parseHosts reads host[:port], separated by commas.
func parseHosts(text string) (hostList, error) {
	var l hostList
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.ToLower(strings.TrimSpace(part)); part == "" {
			continue
		}
		host, port, _ := cutPort(withPort(part))
		number, err := strconv.ParseUint(port, 10, 16)
		if _, notAddress := netip.ParseAddr(host); err != nil || number == 0 || (notAddress != nil && !hostForm.MatchString(host)) {
			return nil, fmt.Errorf("\"%s\" is not host[:port]", shorten(part, 100))
		}
		l = append(l, withPort(part))
	}
	return l, nil
}

// withPort adds the port of HTTPS to a host that has none.
func withPort(host string) string {
	if strings.HasSuffix(host, "]") || !strings.Contains(host, ":") {
		return host + ":443"
	}
	return host
}

// cutPort separates host and port; the host is without brackets.
func cutPort(hostPort string) (host, port string, ok bool) {
	i := strings.LastIndexByte(hostPort, ':')
	if i < 0 {
		return hostPort, "", false
	}
	return strings.Trim(hostPort[:i], "[]"), hostPort[i+1:], true
}

// The vendors' hosts. Each set is narrow enough that only the vendor can have a host
// in it: *.amazonaws.com, for instance, includes customers' API gateways.
var (
	// SDKs' partitions: aws, aws-cn, aws-eusc, aws-iso, -b, -e, -f, each with its
	// domain and the one for IPv6. aws-us-gov has those of aws.
	awsHosts = regexp.MustCompile(`^(` +
		`(vpce-[a-z0-9-]+\.)?(secretsmanager|sts)(-fips)?\.[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}(\.vpce)?` +
		`\.(amazonaws\.com|api\.aws|amazonaws\.com\.cn|api\.amazonwebservices\.com\.cn|amazonaws\.eu|api\.amazonwebservices\.eu` +
		`|c2s\.ic\.gov|api\.aws\.ic\.gov|sc2s\.sgov\.gov|api\.aws\.scloud|cloud\.adc-e\.uk|api\.cloud-aws\.adc-e\.uk` +
		`|csp\.hci\.ic\.gov|api\.aws\.hci\.ic\.gov)` +
		`|sts\.amazonaws\.com):443$`)

	gcpHosts      = regexp.MustCompile(`^secretmanager(\.[a-z0-9-]+\.rep)?\.googleapis\.com:443$`)
	gcpLoginHosts = regexp.MustCompile(`^((sts|iamcredentials)(\.[a-z0-9-]+\.rep)?|oauth2)\.googleapis\.com:443$`)

	// Public, China, US Government.
	azureVaults = regexp.MustCompile(`^[a-z0-9-]{3,24}\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net):443$`)
	// Those that Microsoft's own library trusts.
	azureLoginHosts = regexp.MustCompile(`^(login\.microsoftonline\.(com|us)|login\.(microsoft\.com|windows\.net)|sts\.windows\.net` +
		`|login\.partner\.microsoftonline\.cn|login\.chinacloudapi\.cn|login\.usgovcloudapi\.net):443$`)
)

// Endpoints on the node that hand out an identity. They speak plain HTTP, which does
// not leave the node.
var (
	awsNode = hostList{
		"169.254.169.254:80", "[fd00:ec2::254]:80", // EC2's metadata
		"169.254.170.23:80", "[fd00:ec2::23]:80", // EKS' Pod Identity agent
	}
	gcpNode   = hostList{"169.254.169.254:80", "metadata.google.internal:80"}
	azureNode = hostList{"169.254.169.254:80"}
)
