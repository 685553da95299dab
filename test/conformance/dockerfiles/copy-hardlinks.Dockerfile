FROM busybox AS source
COPY hard /hard
RUN ln /hard/one /hard/three
FROM busybox
COPY --from=source /hard /hard
COPY hard /context
RUN stat -c '%n %h' /hard/* /context/* | sort > /list
