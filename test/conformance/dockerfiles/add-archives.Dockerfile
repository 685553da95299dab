FROM busybox
ADD archive.tar /plain
ADD archive.tar.gz /gzip/
ADD archive.tar.xz /xz
ADD bad.tar.gz /bad/
ADD app.py /file
