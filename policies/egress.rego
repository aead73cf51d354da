# What the app wants to reach.
package mayfly

import data.mayfly.settings

deny contains {
	"rule": "egress.host",
	"msg": sprintf("`%v` is no host that can be judged", [host]),
	"next": "name each host in mayfly.toml, under [egress] allow",
} if {
	some host in input.egress.list
	not is_plain_host(host)
}

deny contains {
	"rule": "egress.drop",
	"msg": sprintf("%s is a place where anybody can leave or fetch data", [host]),
	"next": sprintf("take `%s` out of mayfly.toml, under [egress] allow", [host]),
} if {
	some host in input.egress.list
	is_plain_host(host)
	some drop in settings.open_drops
	is_below(name_of(host), drop)
}

deny contains {
	"rule": "egress.many",
	"msg": "the app wants to reach more hosts than anybody can judge",
	"next": "name fewer hosts in mayfly.toml, under [egress] allow",
} if {
	not hosts_are_few
}

hosts_are_few if {
	is_array(input.egress.list)
	count(input.egress.list) <= settings.max_egress_hosts
}

# One host by its name: no pattern, no path.
is_plain_host(host) if {
	is_string(host)
	regex.match(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`, host)
}

# Whether `name` is `domain`, or below it.
is_below(name, domain) if name == domain

is_below(name, domain) if endswith(name, concat(".", ["", domain]))

name_of(host) := lower(split(host, ":")[0])
