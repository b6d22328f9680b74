package client

import "flag"

var long = flag.Bool("long", false, "also run what takes minutes")
