package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hostList is a list of hosts with ports, in lower case: "host:443".
type hostList []string

func (l hostList) has(host string) bool { return slices.Contains(l, host) }

var hostForm = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$`)

// parseHosts parses a comma-separated list of host[:port].
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

// withPort adds HTTPS' port to a host without a port.
func withPort(host string) string {
	if strings.HasSuffix(host, "]") || !strings.Contains(host, ":") {
		return host + ":443"
	}
	return host
}

// cutPort splits host and port. The host has no brackets.
func cutPort(hostPort string) (host, port string, ok bool) {
	i := strings.LastIndexByte(hostPort, ':')
	if i < 0 {
		return hostPort, "", false
	}
	return strings.Trim(hostPort[:i], "[]"), hostPort[i+1:], true
}

// The vendors' hosts. Only the vendor controls the hosts that these match; *.amazonaws.com, for
// instance, would include customers' API gateways.
var (
	// The SDK's partitions: aws, aws-cn, aws-eusc, aws-iso, -b, -e, -f, each with its
	// domain and its IPv6 domain. aws-us-gov has the domains of aws.
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
	// The hosts that Microsoft's own library trusts.
	azureLoginHosts = regexp.MustCompile(`^(login\.microsoftonline\.(com|us)|login\.(microsoft\.com|windows\.net)|sts\.windows\.net` +
		`|login\.partner\.microsoftonline\.cn|login\.chinacloudapi\.cn|login\.usgovcloudapi\.net):443$`)
)

// Endpoints on the node that issue an identity. They use plain HTTP, which does not leave the
// node.
var (
	awsNode = hostList{
		"169.254.169.254:80", "[fd00:ec2::254]:80", // EC2's metadata
		"169.254.170.23:80", "[fd00:ec2::23]:80", // EKS' Pod Identity agent
	}
	gcpNode   = hostList{"169.254.169.254:80", "metadata.google.internal:80"}
	azureNode = hostList{"169.254.169.254:80"}
)
