FROM busybox
MAINTAINER Someone <some@one.test>
