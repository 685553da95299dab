# options: --build-arg GIVEN=given
FROM busybox
ENV ONE=1 TWO="two words" THREE=a\ b
ARG GIVEN
ARG DEFAULTED=default
ARG UNSET
RUN env | grep -v -E '^(PWD|OLDPWD|SHLVL|HOSTNAME|TERM)=' | sort > /env
