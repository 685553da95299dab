FROM busybox
RUN mkdir -p /t/sub /t/keep && echo old > /t/a.txt && echo kept > /t/keep/k && chmod 0700 /t/sub && ln -s /etc /t/b.txt
COPY data /t/
