FROM busybox AS parent
ONBUILD ARG WHERE=/made
ONBUILD RUN mkdir $WHERE
ONBUILD COPY app.py /made/
FROM parent
RUN ls /made > /seen
