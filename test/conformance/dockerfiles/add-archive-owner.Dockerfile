FROM busybox
ADD --chown=7:8 archive.tar /owned/
