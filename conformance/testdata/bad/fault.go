package main

// fault is the one that this program has. Tests put another in its place.
const fault = ""
