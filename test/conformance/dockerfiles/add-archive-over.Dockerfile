FROM busybox
RUN mkdir -p /t/dir && echo old > /t/file && echo keep > /t/dir/keep && ln -s dir /t/inner
ADD archive.tar /t
